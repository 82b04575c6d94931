import { z } from 'zod';
import { del, get, post } from '../endpoint.ts';
import { EXPIRES_IN_SECONDS_MAX } from './authorizations.ts';
import { label, role, scopes, userName } from '../fields.ts';

/** Whoever has no role yet is a member from then on, unless another is named. */
const create = z.object({
  user: userName,
  description: label(200).nullish(),
  role: role.nullish(),
  scope: scopes.nullish(),
  expires_in: z.int().min(1).max(EXPIRES_IN_SECONDS_MAX).nullish(),
});

export const tokenEndpoints = {
  list: get('/kith/tokens', { title: 'List tokens of all users', needs: 'admin' }),
  create: post('/kith/tokens', { title: 'Make a token for a user', needs: 'admin', body: create }),
  revoke: del('/kith/tokens/:token', { title: 'Revoke a token', needs: 'admin' }),
};
