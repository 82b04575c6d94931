import { z } from 'zod';
import { del, get, patch, post } from '../endpoint.ts';
import { appName, label } from '../fields.ts';

/** `region`, `stack` and the like are taken for Heroku's clients' sake: here is one region and one stack. */
const create = z.object({ name: appName.nullish() });
const update = z.object({
  name: appName.optional(),
  maintenance: z.boolean().optional(),
  build_stack: label(200).optional(),
});

export const appEndpoints = {
  list: get('/apps', { title: 'List apps', needs: 'user' }),
  listOfUser: get('/users/:user/apps', { title: "List a user's apps", needs: 'user' }),
  create: post('/apps', { title: 'Create an app', needs: 'member', body: create }),
  info: get('/apps/:app', { title: 'Show an app', needs: 'view' }),
  update: patch('/apps/:app', {
    title: 'Rename an app, or set its maintenance mode',
    needs: 'operate',
    body: update,
  }),
  destroy: del('/apps/:app', { title: 'Destroy an app for ever', needs: 'manage' }),
};
