import { z } from 'zod';
import { del, get, patch, post, put } from '../endpoint.ts';
import { appName, label, role, userName } from '../fields.ts';

const member = z.object({ email: userName, role, federated: z.boolean().nullish() });
const createApp = z.object({
  name: appName.nullish(),
  team: label(200).nullish(),
  locked: z.literal(false).nullish(),
});
const updateApp = z.object({ owner: userName.nullish(), locked: z.boolean().nullish() });

/** The cluster is one team, of its own name, and all apps are the team's. */
export const teamEndpoints = {
  list: get('/teams', { title: 'List teams', needs: 'user' }),
  permissions: get('/teams/permissions', { title: 'List what may be done with an app', needs: 'user' }),
  createApp: post('/teams/apps', { title: 'Create an app of the team', needs: 'member', body: createApp }),
  allApps: get('/teams/apps', { title: 'List apps of all teams', needs: 'user' }),
  app: get('/teams/apps/:app', { title: 'Show an app of the team', needs: 'view' }),
  updateApp: patch('/teams/apps/:app', {
    title: 'Give an app of the team to another owner',
    needs: 'manage',
    scope: 'global',
    body: updateApp,
  }),
  destroyApp: del('/teams/apps/:app', { title: 'Destroy an app of the team for ever', needs: 'manage' }),
  info: get('/teams/:team', { title: 'Show a team', needs: 'user' }),
  apps: get('/teams/:team/apps', { title: 'List apps of a team', needs: 'user' }),
  features: get('/teams/:team/features', { title: 'List what can be switched on for a team', needs: 'user' }),
  invitations: get('/teams/:team/invitations', { title: 'List invitations to a team', needs: 'viewer' }),
  members: get('/teams/:team/members', { title: 'List who has a role', needs: 'viewer' }),
  putMember: put('/teams/:team/members', { title: 'Give a user a role', needs: 'admin', body: member }),
  updateMember: patch('/teams/:team/members', {
    title: 'Give a user with a role another',
    needs: 'admin',
    body: member,
  }),
  removeMember: del('/teams/:team/members/:member', { title: 'Take all rights from a user', needs: 'admin' }),
};
