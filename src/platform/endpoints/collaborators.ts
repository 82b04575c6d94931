import { z } from 'zod';
import { del, get, patch, post } from '../endpoint.ts';
import { label, permissions, userName } from '../fields.ts';

const create = z.object({
  user: userName,
  permissions: permissions.nullish(),
  silent: z.boolean().nullish(),
});
const update = z.object({ permissions });
const transfer = z.object({ app: label(200), recipient: userName, silent: z.boolean().nullish() });

/** Heroku has them twice: for apps of one's own, and for those of a team. Here they are the same. */
const under = (path: string) => ({
  list: get(`${path}/collaborators`, { title: 'List who may do what with an app', needs: 'view' }),
  create: post(`${path}/collaborators`, {
    title: 'Let a user in to an app',
    needs: 'manage',
    scope: 'global',
    body: create,
  }),
  info: get(`${path}/collaborators/:user`, { title: 'Show what a user may do with an app', needs: 'view' }),
  update: patch(`${path}/collaborators/:user`, {
    title: 'Say what a user may do with an app',
    needs: 'manage',
    scope: 'global',
    body: update,
  }),
  /** Whoever may see the app may leave it; the handler asks for `manage` where it is another's place. */
  remove: del(`${path}/collaborators/:user`, {
    title: 'Shut a user out of an app',
    needs: 'view',
    scope: 'global',
  }),
});

export const collaboratorEndpoints = under('/apps/:app');
export const teamCollaboratorEndpoints: typeof collaboratorEndpoints = under('/teams/apps/:app');

export const transferEndpoints = {
  list: get('/account/app-transfers', { title: 'List transfers of apps that wait', needs: 'user' }),
  create: post('/account/app-transfers', {
    title: 'Give an app to another owner',
    needs: 'user',
    scope: 'global',
    body: transfer,
  }),
};
