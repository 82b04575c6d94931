import { z } from 'zod';
import { del, get, post } from '../endpoint.ts';
import { configKey, dynoSize, envValue, processType } from '../fields.ts';

const COMMAND_CHARS_MAX = 32_768;
export const PATH_CHARS_MAX = 4_096;
export const TTL_SECONDS_MAX = 24 * 3_600;

/** What a client's terminal and `--env` come to. */
const env = z.record(configKey, z.union([envValue, z.number()])).nullish();
/** A one-off dyno. */
export const dynoCreate = z.object({
  command: envValue.min(1).max(COMMAND_CHARS_MAX),
  attach: z.boolean().nullish(),
  env,
  size: dynoSize.nullish(),
  type: processType.nullish(),
  time_to_live: z.int().min(1).max(TTL_SECONDS_MAX).nullish(),
  force_no_tty: z.boolean().nullish(),
});
/** A command in a running dyno. */
export const dynoExec = z.object({
  command: envValue.min(1).max(COMMAND_CHARS_MAX),
  env,
  force_no_tty: z.boolean().nullish(),
});
/** What the query of `copy` says. */
export const copyQuery = z.object({ path: envValue.min(1).max(PATH_CHARS_MAX) });

export const dynoEndpoints = {
  list: get('/apps/:app/dynos', { title: 'List dynos', needs: 'view' }),
  // A command sees the config vars of its dyno.
  create: post('/apps/:app/dynos', {
    title: 'Run a one-off dyno',
    needs: 'operate',
    body: dynoCreate,
    isProtected: true,
  }),
  info: get('/apps/:app/dynos/:dyno', { title: 'Show a dyno', needs: 'view' }),
  exec: post('/apps/:app/dynos/:dyno', {
    title: 'Run a command inside a running dyno',
    needs: 'operate',
    isProtected: true,
    body: dynoExec,
  }),
  copy: get('/kith/apps/:app/dynos/:dyno/copy', {
    title: 'Copy files out of a running dyno',
    needs: 'operate',
    isStream: true,
    isProtected: true,
  }),
  restartAll: del('/apps/:app/dynos', { title: 'Restart all dynos', needs: 'operate', status: 202 }),
  restart: del('/apps/:app/dynos/:dyno', { title: 'Restart a dyno', needs: 'operate', status: 202 }),
  restartType: del('/apps/:app/formations/:type', {
    title: 'Restart the dynos of a process type',
    needs: 'operate',
    status: 202,
  }),
  stop: post('/apps/:app/dynos/:dyno/actions/stop', { title: 'Stop a dyno', needs: 'operate', status: 202 }),
  stopType: post('/apps/:app/formations/:type/actions/stop', {
    title: 'Stop the dynos of a process type',
    needs: 'operate',
    status: 202,
  }),
  usage: get('/kith/apps/:app/usage', { title: 'Show what dynos use just now', needs: 'view' }),
  unplaced: get('/kith/apps/:app/unplaced', {
    title: 'List dynos that no peer can run, and why',
    needs: 'view',
  }),
};
