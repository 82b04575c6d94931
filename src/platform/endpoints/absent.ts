import { get } from '../endpoint.ts';

/** Lists that Heroku's clients read along with what they are asked for, of things that this cluster has none of. */
export const absentEndpoints = {
  webhooks: get('/apps/:app/webhooks', { title: 'List webhooks', needs: 'view' }),
  accountFeatures: get('/account/features', { title: 'List features of the account', needs: 'user' }),
  accountFeature: get('/account/features/:feature', {
    title: 'Show a feature of the account',
    needs: 'user',
  }),
  keys: get('/account/keys', { title: 'List SSH keys', needs: 'user' }),
};
