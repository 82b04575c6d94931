import { z } from 'zod';
import { get, post } from '../endpoint.ts';
import { label } from '../fields.ts';

export const INVITE_TTL_SECONDS_MAX = 7 * 24 * 3_600;

export const clusterEndpoints = {
  info: get('/kith/cluster', { title: 'Show the cluster', needs: 'user' }),
  // Every TLS handshake tells it too.
  ca: get('/kith/ca.pem', {
    title: "Download the cluster's CA, for TLS to trust",
    needs: 'nothing',
    isStream: true,
  }),
  invite: post('/kith/invites', {
    title: 'Invite a host into the cluster',
    needs: 'admin',
    body: z.object({ ttl_seconds: z.int().min(1).max(INVITE_TTL_SECONDS_MAX).default(3_600) }),
  }),
  join: post('/kith/join', {
    title: 'Join the cluster of an invite',
    needs: 'admin',
    body: z.object({ token: label(16_384) }),
    status: 200,
  }),
  doctor: get('/kith/doctor', { title: 'Tell what is wrong', needs: 'viewer' }),
  verify: get('/kith/apps/:app/verify', {
    title: "Check an app's releases back to the first",
    needs: 'view',
  }),
};
