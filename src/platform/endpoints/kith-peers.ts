import { z } from 'zod';
import { del, get, patch, post } from '../endpoint.ts';

export const peerEndpoints = {
  list: get('/kith/peers', { title: 'List peers', needs: 'user' }),
  info: get('/kith/peers/:peer', { title: 'Show a peer', needs: 'user' }),
  remove: del('/kith/peers/:peer', {
    title: 'Remove a peer from the cluster',
    needs: 'admin',
    body: z.object({ force: z.boolean().default(false) }),
  }),
  update: patch('/kith/peers/:peer', {
    title: 'Have a peer hand over its dynos, or take some again',
    needs: 'admin',
    body: z.object({ draining: z.boolean() }),
  }),
  collect: post('/kith/collections', { title: 'Free the disk of the peer that is asked', needs: 'admin' }),
};
