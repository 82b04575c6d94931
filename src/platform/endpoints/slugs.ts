import { z } from 'zod';
import { get, post, put } from '../endpoint.ts';
import { label, processType } from '../fields.ts';
import { ref } from './pipelines.ts';

const create = z.object({
  process_types: z.record(processType, z.string().min(1).max(32_768)),
  stack: ref.nullish(),
  commit: label(200).nullish(),
  checksum: label(200).nullish(),
  buildpack_provided_description: label(200).nullish(),
});

export const slugEndpoints = {
  create: post('/apps/:app/slugs', { title: 'Announce a slug, to be sent', needs: 'deploy', body: create }),
  info: get('/apps/:app/slugs/:slug', { title: 'Show a slug', needs: 'view' }),
  archive: get('/apps/:app/slugs/:slug/archive', {
    title: 'Download a slug',
    needs: 'deploy',
    isStream: true,
  }),
  put: put('/slugs/:secret', { title: 'Send a slug', needs: 'nothing' }),
};
