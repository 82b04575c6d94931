import { z } from 'zod';
import { del, get, patch, post } from '../endpoint.ts';
import { hostname } from '../fields.ts';

/** Id or name; null: none in particular. */
const sniEndpoint = z.string().max(200).nullable();

const create = z.object({
  hostname: hostname
    // It would take the requests of the app of that name.
    .refine(
      (name) => !name.endsWith('.localhost'),
      'must not end with ".localhost": apps have these by name',
    ),
  sni_endpoint: sniEndpoint.optional(),
});

export const domainEndpoints = {
  list: get('/apps/:app/domains', { title: 'List domains', needs: 'view' }),
  create: post('/apps/:app/domains', {
    title: 'Serve an app under a domain',
    needs: 'operate',
    body: create,
  }),
  info: get('/apps/:app/domains/:domain', { title: 'Show a domain', needs: 'view' }),
  update: patch('/apps/:app/domains/:domain', {
    title: 'Give a domain one of the certificates of its app',
    needs: 'operate',
    body: z.object({ sni_endpoint: sniEndpoint }),
  }),
  destroy: del('/apps/:app/domains/:domain', {
    title: 'Serve an app under a domain no more',
    needs: 'operate',
  }),
};
