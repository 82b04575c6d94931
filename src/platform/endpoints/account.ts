import { z } from 'zod';
import { get, patch } from '../endpoint.ts';
import { userName } from '../fields.ts';

/** What Heroku lets people change of an account; here it is a name, which stays, and no more. */
const update = z.object({
  name: z.string().max(200).nullish(),
  allow_tracking: z.boolean().optional(),
  beta: z.boolean().optional(),
  email: userName.optional(),
});

export const accountEndpoints = {
  show: get('/account', { title: 'Show who asks', needs: 'user', scope: 'identity' }),
  update: patch('/account', {
    title: 'Change what is kept of who asks: nothing is',
    needs: 'user',
    scope: 'global',
    body: update,
  }),
  rateLimits: get('/account/rate-limits', {
    title: 'Show how many requests are left',
    needs: 'user',
    scope: 'identity',
  }),
  user: get('/users/:user', { title: 'Show a user: `~` is who asks', needs: 'user', scope: 'identity' }),
};
