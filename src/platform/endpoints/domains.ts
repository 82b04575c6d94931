import { z } from 'zod';
import { del, get, post } from '../endpoint.ts';
import { hostname } from '../fields.ts';

const create = z.object({
  hostname: hostname
    // It would take the requests of the app of that name.
    .refine(
      (name) => !name.endsWith('.localhost'),
      'must not end with ".localhost": apps have these by name',
    ),
});

export const domainEndpoints = {
  list: get('/apps/:app/domains', { title: 'List domains', needs: 'view' }),
  create: post('/apps/:app/domains', {
    title: 'Serve an app under a domain',
    needs: 'operate',
    body: create,
  }),
  info: get('/apps/:app/domains/:domain', { title: 'Show a domain', needs: 'view' }),
  destroy: del('/apps/:app/domains/:domain', {
    title: 'Serve an app under a domain no more',
    needs: 'operate',
  }),
};
