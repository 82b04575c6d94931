import { randomBytes, randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { AgentAddons } from '../../agent/addons/agent-addons.ts';
import { openApi } from '../../agent/api/server.ts';
import type { ApiOptions } from '../../agent/api/server.ts';
import type { AppId } from '../../src/ids.ts';
import { tokenHash, tokenText } from '../../src/platform/token.ts';
import { PlatformError } from '../../src/errors.ts';
import type { Volumes } from '../../src/shell/volumes.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { FakeReleases } from './fake-releases.ts';
import { FakeBuilds } from './fake-builds.ts';
import { FileBlobs } from './file-blobs.ts';
import { FakeStack } from './fake-stack.ts';
import { LedgerHost } from './ledger-host.ts';
import { MemoryLogs } from './memory-logs.ts';
import { SLUG } from './slug.ts';

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed where it is JSON. */
  readonly body: unknown;
};

export type Harness = AsyncDisposable & {
  readonly host: LedgerHost;
  readonly logs: MemoryLogs;
  readonly builds: FakeBuilds;
  readonly blobs: FileBlobs;
  readonly token: string;
  readonly url: string;
  readonly port: number;
  readonly socketPath: string;
  /** Lines that the server logged, at `info` and above. */
  readonly logged: string[];
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** An app with a release of its slug: v3, after v1 and v2 of its creation. */
  deployedApp(name?: string): Promise<AppId>;
};

/** The text (or number, as text) at a path in a JSON value. */
export function at(value: unknown, ...path: readonly (string | number)[]): string {
  let found = value;
  for (const key of path) found = (found as Readonly<Record<string | number, unknown>>)[key];
  if (typeof found !== 'string' && typeof found !== 'number') {
    throw new Error(`Found no text at "${path.join('.')}" of ${JSON.stringify(value)}`);
  }
  return String(found);
}

/** Volumes of which nothing can be copied here. */
class NoVolumes implements Volumes {
  readonly move = refuse;
  readonly backup = refuse;
  readonly store = refuse;
  readonly restore = refuse;
  readonly restoreBackup = refuse;
  readonly status = refuse;
  readonly drop = refuse;
}

async function refuse(): Promise<never> {
  throw new PlatformError('conflict', 'No volumes here');
}

/** The real server on its own port, in front of a peer that is alone. */
export async function startApi(options: Partial<ApiOptions> = {}): Promise<Harness> {
  const dir = await tempDir('kith-api-');
  const host = new LedgerHost();
  const token = tokenText(randomBytes(32));
  const admin = { user: 'ann@example.com', request: null };
  const hash = tokenHash(token);
  const everything = { scopes: ['global'], expiresAt: null, role: 'admin' } as const;
  host.write(
    { type: 'token.create', token: randomUUID(), hash, user: admin.user, description: '', ...everything },
    admin,
  );
  const logs = new MemoryLogs();
  const blobs = new FileBlobs(dir.path);
  const builds = new FakeBuilds(host, blobs);
  const logged: string[] = [];
  const socketPath = join(dir.path, 'kith.sock');
  const server = await openApi({
    host,
    logs,
    blobs,
    builds,
    clusterBuilds: builds,
    releases: new FakeReleases(),
    stack: new FakeStack(),
    volumes: new NoVolumes(),
    addons: new AgentAddons(() => host, '127.0.0.1'),
    git: {
      async handle(message, response, { app, user }) {
        response.end(`git ${message.method} of ${app.name} for ${user}`);
      },
    },
    log: pino({ level: 'info' }, { write: (line: string) => logged.push(line) }),
    listen: { host: '127.0.0.1', port: 0 },
    socketPath,
    tls: () => null,
    webUrl: (app) => `http://${app.name}.localhost:8080/`,
    ...options,
  });
  const url = `http://127.0.0.1:${server.port}`;
  const call: Harness['call'] = async (method, path, body, headers = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const answer = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    const parsed: unknown = isJson ? JSON.parse(answer) : answer;
    return { status: response.status, headers: response.headers, body: parsed };
  };
  const deployedApp: Harness['deployedApp'] = async (name = 'blog') => {
    const { body } = await call('POST', '/apps', { name });
    const app = at(body, 'id') as AppId;
    host.write({ type: 'release.deploy', app, slug: SLUG, description: 'Deploy 0b0e75c1' }, admin);
    return app;
  };
  return {
    host,
    logs,
    builds,
    blobs,
    token,
    url,
    port: server.port,
    socketPath,
    logged,
    call,
    deployedApp,
    async [Symbol.asyncDispose]() {
      builds.finish();
      await server[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

/** A request over the local socket, without a token. */
export async function callSocket(
  socketPath: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath, method, path, headers: { host: 'kith' } }, (response) => {
      text(response).then(
        (answer) =>
          resolve({
            status: response.statusCode ?? 0,
            headers: new Headers(),
            body: JSON.parse(answer),
          }),
        reject,
      );
    });
    request.on('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
