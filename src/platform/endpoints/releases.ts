import { z } from 'zod';
import { get, post } from '../endpoint.ts';
import { label } from '../fields.ts';

/** A rollback names a release; a retry names a slug of the app. */
const create = z.object({
  release: label(200).optional(),
  slug: label(200).optional(),
  description: label(1_000).optional(),
});

export const releaseEndpoints = {
  list: get('/apps/:app/releases', { title: 'List releases', needs: 'view' }),
  create: post('/apps/:app/releases', {
    title: 'Roll back, or release a slug',
    needs: 'deploy',
    body: create,
  }),
  info: get('/apps/:app/releases/:release', { title: 'Show a release', needs: 'view' }),
  output: get('/apps/:app/releases/:release/output/:secret', {
    title: 'Read what a release command writes',
    needs: 'nothing',
    isStream: true,
  }),
};
