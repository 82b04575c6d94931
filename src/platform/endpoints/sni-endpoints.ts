import { z } from 'zod';
import { del, get, patch, post } from '../endpoint.ts';
import { label } from '../fields.ts';

const chain = z.string().max(60_000);
const key = z.string().max(20_000);

const create = z.object({
  certificate_chain: chain,
  private_key: key,
  display_name: label(100).nullable().optional(),
});

const update = z
  .object({
    certificate_chain: chain.optional(),
    private_key: key.optional(),
    display_name: label(100).nullable().optional(),
  })
  .refine(
    (body) => (body.certificate_chain === undefined) === (body.private_key === undefined),
    'must have certificate_chain and private_key together: a certificate is worth nothing without its key',
  );

export const sniEndpointEndpoints = {
  list: get('/apps/:app/sni-endpoints', { title: 'List certificates', needs: 'view' }),
  create: post('/apps/:app/sni-endpoints', { title: 'Add a certificate', needs: 'operate', body: create }),
  info: get('/apps/:app/sni-endpoints/:endpoint', { title: 'Show a certificate', needs: 'view' }),
  update: patch('/apps/:app/sni-endpoints/:endpoint', {
    title: 'Put another certificate in the place of one',
    needs: 'operate',
    body: update,
  }),
  destroy: del('/apps/:app/sni-endpoints/:endpoint', { title: 'Remove a certificate', needs: 'operate' }),
};

/** Certificates that the platform orders by itself. */
export const acmEndpoints = {
  info: get('/apps/:app/acm', { title: 'Show automated certificate management', needs: 'view' }),
  enable: post('/apps/:app/acm', {
    title: 'Enable automated certificate management',
    needs: 'operate',
    status: 200,
    body: z.object({}),
  }),
  /** Heroku's clients say `acm_refresh`: there is nothing else to be changed. */
  refresh: patch('/apps/:app/acm', {
    title: 'Refresh automated certificates',
    needs: 'operate',
    body: z.object({ acm_refresh: z.boolean().optional() }),
  }),
  disable: del('/apps/:app/acm', { title: 'Disable automated certificate management', needs: 'operate' }),
};
