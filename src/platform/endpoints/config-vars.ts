import { z } from 'zod';
import { get, patch } from '../endpoint.ts';
import { configKey, envValue } from '../fields.ts';

export const CONFIG_BYTES_MAX = 64 * 1024;

/** Null unsets. The one key that a record cannot hold like any other is refused rather than lost. */
const update = z
  .unknown()
  .refine((value) => !Object.hasOwn(Object(value), '__proto__'), 'the key "__proto__" is reserved')
  .pipe(z.record(configKey, envValue.nullable()));

export const configVarEndpoints = {
  show: get('/apps/:app/config-vars', { title: 'Show config vars', needs: 'deploy', isProtected: true }),
  update: patch('/apps/:app/config-vars', {
    title: 'Set and unset config vars',
    needs: 'deploy',
    body: update,
    isProtected: true,
  }),
  ofRelease: get('/apps/:app/releases/:release/config-vars', {
    title: 'Show the config vars of a release',
    needs: 'deploy',
    isProtected: true,
  }),
};
