import { z } from 'zod';
import { del, get, post, put } from '../endpoint.ts';
import { label } from '../fields.ts';

const create = z.object({
  source_blob: z.object({
    url: z.url({ protocol: /^https?$/ }).max(4_096),
    version: label(200).nullish(),
    checksum: label(200).nullish(),
  }),
  /** In place of the app's own, for this build alone. */
  buildpacks: z
    .array(z.object({ url: label(2_000).nullish(), name: label(2_000).nullish() }))
    .max(20)
    .nullish(),
});

export const buildEndpoints = {
  list: get('/apps/:app/builds', { title: 'List builds', needs: 'view' }),
  create: post('/apps/:app/builds', { title: 'Build and release an archive', needs: 'deploy', body: create }),
  info: get('/apps/:app/builds/:build', { title: 'Show a build', needs: 'view' }),
  output: get('/apps/:app/builds/:build/output/:secret', {
    title: 'Read what a build writes',
    needs: 'nothing',
    isStream: true,
  }),
  cancel: del('/apps/:app/builds/:build', { title: 'Break a build off', needs: 'deploy' }),
  purgeCache: del('/apps/:app/build-cache', {
    title: 'Forget what builds keep for the next',
    needs: 'deploy',
  }),
};

export const sourceEndpoints = {
  create: post('/sources', { title: 'Get URLs to upload an archive to', needs: 'user' }),
  put: put('/sources/:secret', { title: 'Upload an archive', needs: 'nothing' }),
  get: get('/sources/:secret', { title: 'Download an archive', needs: 'nothing', isStream: true }),
};
