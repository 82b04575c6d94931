import { z } from 'zod';
import { del, get, post } from '../endpoint.ts';
import { label } from '../fields.ts';

const create = z.object({ user: label(200), description: label(200).nullish() });

export const tokenEndpoints = {
  list: get('/kith/tokens', { title: 'List tokens of all users', needs: 'admin' }),
  create: post('/kith/tokens', { title: 'Make a token for a user', needs: 'admin', body: create }),
  revoke: del('/kith/tokens/:token', { title: 'Revoke a token', needs: 'admin' }),
};
