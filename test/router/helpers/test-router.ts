import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { openRouter } from '../../../agent/router/handle.ts';
import type { OpenRouterOptions } from '../../../agent/router/open-options.ts';
import type { RouterSettings } from '../../../agent/router/settings.ts';
import type { AppId, DynoId, PeerId } from '../../../src/ids.ts';
import { createSigner } from '../../../src/ledger/signing.ts';
import type { RouteApp, RouteTable, RouteTarget } from '../../../src/routing/table.ts';
import type { RouterHandle } from '../../../src/shell/router.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

export const APP = 'app-1' as AppId;
export const HOST = 'web.example.com';

/** A real router process of a peer of its own, and the lines and suspicions that came from it. */
export type TestRouter = AsyncDisposable & {
  readonly dir: string;
  readonly peer: PeerId;
  readonly handle: RouterHandle;
  readonly lines: string[];
  readonly suspects: DynoId[];
  /** The handle that replaces a disposed one, as a restarted agent would. */
  reopen(): Promise<RouterHandle>;
};

type Ports = 'port' | 'httpsPort' | 'proxyPort';

const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });

export async function startRouter(
  settings: Partial<RouterSettings> = {},
  { port = 0, httpsPort = null, proxyPort = 0 }: Partial<Pick<OpenRouterOptions, Ports>> = {},
): Promise<TestRouter> {
  const dir = await tempDir('kith-router-');
  const seed = randomBytes(32);
  await writeFile(join(dir.path, 'key'), seed.toString('hex'), { mode: 0o600 });
  const lines: string[] = [];
  const suspects: DynoId[] = [];
  const options = {
    dir: dir.path,
    host: '127.0.0.1',
    port,
    httpsPort,
    proxyHost: '127.0.0.1',
    proxyPort,
    log,
    settings,
  };
  const open = async (): Promise<RouterHandle> => {
    const handle = await openRouter(options);
    handle.onLog((line) => lines.push(line.text));
    handle.onSuspect((dyno) => suspects.push(dyno));
    return handle;
  };
  let handle = await open();
  return {
    dir: dir.path,
    peer: createSigner(seed).peer,
    get handle() {
      return handle;
    },
    lines,
    suspects,
    async reopen() {
      handle = await open();
      return handle;
    },
    async [Symbol.asyncDispose]() {
      await handle.shutdown(0);
      await handle[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

export function target(fields: Partial<RouteTarget> & { port: number }): RouteTarget {
  return {
    dyno: `dyno-${fields.port}` as DynoId,
    name: 'web.1',
    peer: 'self' as PeerId,
    local: true,
    host: '127.0.0.1',
    ...fields,
  };
}

export function routeApp(up: readonly RouteTarget[], fields: Partial<RouteApp> = {}): RouteApp {
  return {
    app: APP,
    name: 'blog',
    maintenance: false,
    blank: false,
    webQuantity: 1,
    starting: false,
    crashed: false,
    up,
    ...fields,
  };
}

let version = 0;

/** One app under `web.example.com` and `blog.localhost`; local targets may be asked for by other peers too. */
export function tableOf(app: RouteApp, fields: Partial<RouteTable> = {}): RouteTable {
  const local = app.up.filter((each) => each.local);
  return {
    version: (version += 1),
    self: 'self' as PeerId,
    hosts: { [HOST]: app.app },
    suffixes: ['localhost'],
    names: { [app.name]: app.app },
    apps: { [app.app]: app },
    internalHost: null,
    ports: {},
    localDynos: Object.fromEntries(local.map((each) => [each.dyno, { host: each.host, port: each.port }])),
    members: [],
    ...fields,
  };
}
