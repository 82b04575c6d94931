import { get } from '../endpoint.ts';

export const accountEndpoints = {
  show: get('/account', { title: 'Show who asks', needs: 'user' }),
  self: get('/users/~', { title: 'Show who asks, as a user', needs: 'user' }),
  rateLimits: get('/account/rate-limits', { title: 'Show how many requests are left', needs: 'user' }),
};
