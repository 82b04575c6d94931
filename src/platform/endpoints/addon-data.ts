import { get, post, put } from '../endpoint.ts';

/** What is done with add-ons of built-in providers, beside what Heroku's API has. */
export const addonDataEndpoints = {
  rotate: post('/kith/addons/:addon/actions/rotate', {
    title: 'Give an add-on new credentials',
    needs: 'user',
    status: 200,
  }),
  dump: get('/kith/addons/:addon/dump', {
    title: 'Download what an add-on holds',
    needs: 'user',
    isStream: true,
    isProtected: true,
  }),
  restore: put('/kith/addons/:addon/dump', {
    title: 'Replace what an add-on holds by a dump',
    needs: 'user',
    isProtected: true,
  }),
};
