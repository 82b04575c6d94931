import type { ReleaseResource } from '../../src/platform/release.ts';
import type { Client } from './api/client.ts';

/** The newest releases of an app, newest first. */
export function newestReleases(
  api: Client,
  appPath: string,
  count: number,
): Promise<readonly ReleaseResource[]> {
  return api.get(`${appPath}/releases`, { range: `version ..; order=desc,max=${count}` });
}
