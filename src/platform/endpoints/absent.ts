import { get } from '../endpoint.ts';

/** Lists that Heroku's clients read along with what they are asked for, of things that this cluster has none of. */
export const absentEndpoints = {
  addons: get('/apps/:app/addons', { title: 'List add-ons', needs: 'view' }),
  addonAttachments: get('/apps/:app/addon-attachments', { title: 'List attachments', needs: 'view' }),
  drains: get('/apps/:app/log-drains', { title: 'List drains', needs: 'view' }),
  certs: get('/apps/:app/sni-endpoints', { title: 'List certificates', needs: 'view' }),
  webhooks: get('/apps/:app/webhooks', { title: 'List webhooks', needs: 'view' }),
  accountFeatures: get('/account/features', { title: 'List features of the account', needs: 'user' }),
  keys: get('/account/keys', { title: 'List SSH keys', needs: 'user' }),
  allAttachments: get('/addon-attachments', { title: 'List attachments of all apps', needs: 'user' }),
  allAddons: get('/addons', { title: 'List add-ons of all apps', needs: 'user' }),
  pipelines: get('/pipelines', { title: 'List pipelines', needs: 'user' }),
  teams: get('/teams', { title: 'List teams', needs: 'user' }),
  authorizations: get('/oauth/authorizations', { title: 'List authorizations', needs: 'user' }),
  collaborators: get('/apps/:app/collaborators', { title: 'List collaborators', needs: 'view' }),
};
