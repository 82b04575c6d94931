import type { AppId } from '../../src/ids.ts';

/** App ids name folders here: nothing that could leave the folder of logs passes. */
export function isAppId(value: unknown): value is AppId {
  return typeof value === 'string' && /^[A-Za-z0-9-]{1,64}$/.test(value);
}
