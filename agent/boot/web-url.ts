import { coversName } from '../../src/covers-name.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { RouterHandle } from '../../src/shell/router.ts';

/**
 * Where this peer serves an app by its own name. Over https only where a certificate of the app says so: the cluster's own
 * are unknown to browsers.
 */
export function webUrl(
  app: App,
  domain: string | null,
  { httpPort, httpsPort }: Pick<RouterHandle, 'httpPort' | 'httpsPort'>,
): string {
  const host = `${app.name}.${domain ?? 'localhost'}`;
  const isSecure = [...app.certs.values()].some(({ facts }) =>
    facts.names.some((name) => coversName(name, host)),
  );
  if (!isSecure) return `http://${host}:${httpPort}/`;
  const port = httpsPort ?? httpPort;
  return port === 443 ? `https://${host}/` : `https://${host}:${port}/`;
}
