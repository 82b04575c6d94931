import { z } from 'zod';
import { del, get, patch, post } from '../endpoint.ts';
import { label, scopes } from '../fields.ts';

// A hundred years: more could not be told from none, and would leave the calendar.
export const EXPIRES_IN_SECONDS_MAX = 100 * 365 * 24 * 3_600;

/** In seconds. The official CLI sends it as text. */
const seconds = z
  .union([z.int(), z.string().regex(/^\d{1,12}$/, 'must be a number of seconds')])
  .transform(Number)
  .pipe(z.int().min(1).max(EXPIRES_IN_SECONDS_MAX));

const create = z.object({
  description: label(2_000).nullish(),
  expires_in: seconds.nullish(),
  scope: scopes.nullish(),
});
const update = z.object({ description: label(2_000).nullish(), client: z.null().optional() });

export const authorizationEndpoints = {
  list: get('/oauth/authorizations', { title: "List one's tokens", needs: 'user', scope: 'global' }),
  create: post('/oauth/authorizations', {
    title: 'Make a token for oneself',
    needs: 'user',
    scope: 'global',
    body: create,
  }),
  info: get('/oauth/authorizations/:authorization', {
    title: "Show one of one's tokens",
    needs: 'user',
    scope: 'global',
  }),
  update: patch('/oauth/authorizations/:authorization', {
    title: 'Say what a token is for',
    needs: 'user',
    scope: 'global',
    body: update,
  }),
  revoke: del('/oauth/authorizations/:authorization', {
    title: "Make one of one's tokens worthless",
    needs: 'user',
    scope: 'global',
  }),
  regenerate: post('/oauth/authorizations/:authorization/actions/regenerate-tokens', {
    title: 'Put another token in the place of one',
    needs: 'user',
    scope: 'global',
    status: 200,
  }),
  sessions: get('/oauth/sessions', { title: 'List sessions', needs: 'user', scope: 'global' }),
  endSession: del('/oauth/sessions/:session', { title: 'End a session', needs: 'user', scope: 'identity' }),
  clients: get('/oauth/clients', { title: 'List OAuth clients', needs: 'user', scope: 'global' }),
};
