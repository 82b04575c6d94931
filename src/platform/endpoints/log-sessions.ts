import { z } from 'zod';
import { get, post } from '../endpoint.ts';
import { label } from '../fields.ts';

export const LOG_LINES_MAX = 1_500;

const create = z.object({
  lines: z.int().min(0).max(LOG_LINES_MAX).nullish(),
  tail: z.boolean().nullish(),
  source: label(100).nullish(),
  dyno: label(200).nullish(),
});

export const logSessionEndpoints = {
  create: post('/apps/:app/log-sessions', {
    title: 'Get a URL to read logs from',
    needs: 'view',
    scope: 'read',
    body: create,
  }),
  read: get('/log-sessions/:secret', {
    title: 'Read logs as server-sent events',
    needs: 'nothing',
    isStream: true,
  }),
};
