import { z } from 'zod';
import { del, get, post } from '../endpoint.ts';
import { label } from '../fields.ts';

const open = z.object({ type: label(128), number: z.int().min(1).max(65_535).nullish() });

/** Internal ports: which process types every dyno of the cluster reaches over TCP. `:type` is a process type. */
export const portEndpoints = {
  listAll: get('/kith/ports', { title: 'List open process types', needs: 'user' }),
  list: get('/kith/apps/:app/ports', { title: "List an app's open process types", needs: 'view' }),
  open: post('/kith/apps/:app/ports', {
    title: 'Open a process type to all dynos',
    needs: 'operate',
    body: open,
  }),
  close: del('/kith/apps/:app/ports/:type', {
    title: 'Open a process type to all dynos no more',
    needs: 'operate',
  }),
};
