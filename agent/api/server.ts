import { chmod, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { RequestListener, Server, ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { Addons } from '../../src/shell/addons.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { Builds, ClusterBuilds, GitServer } from '../../src/shell/builds.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import type { Releases } from '../../src/shell/releases.ts';
import type { Logs } from '../../src/shell/logs.ts';
import type { LocalStack } from '../../src/shell/stack.ts';
import type { Volumes } from '../../src/shell/volumes.ts';
import { Tasks } from '../lib/tasks.ts';
import type { Api } from './api.ts';
import { AttachSessions } from './attach-sessions.ts';
import { isAttachUpgrade } from './attach-upgrade.ts';
import { BuildJobs } from './build-jobs.ts';
import { Dispatcher } from './dispatch.ts';
import type { Door } from './dispatch.ts';
import { LogSessions } from './log-sessions.ts';
import { serveOnePort } from './one-port.ts';
import type { TlsPair } from './one-port.ts';
import { serveRendezvous } from './rendezvous.ts';
import { OpenStreams } from './open-streams.ts';
import { ALL_ROUTES } from './resources/all-routes.ts';
import { SlugUploads } from './slug-uploads.ts';
import { Sources } from './sources.ts';
import { TrackedServer } from './tracked-server.ts';

export type ApiOptions = {
  readonly host: PeerHost;
  readonly logs: Logs;
  readonly blobs: Blobs;
  readonly addons: Addons;
  readonly builds: Builds;
  readonly clusterBuilds: ClusterBuilds;
  readonly releases: Releases;
  readonly git: GitServer;
  readonly stack: LocalStack;
  readonly volumes: Volumes;
  readonly log: Logger;
  readonly listen: { readonly host: string; readonly port: number };
  /** `DIR/kith.sock`: whoever may open it needs no token. */
  readonly socketPath: string;
  /** The peer's certificate, PEM; null until there is one, and TLS is refused meanwhile. */
  readonly tls: () => TlsPair | null;
  /** Where the cluster serves an app. */
  readonly webUrl: (app: App) => string;
};

export type ApiServer = { readonly port: number } & AsyncDisposable;

const SERVER_OPTIONS: ServerOptions = {
  // The official CLI's Request-Id alone grows to 7 KB.
  maxHeaderSize: 32 * 1024,
  headersTimeout: 30_000,
  // Pushes and source uploads take what they take; bodies of JSON have a deadline of their own.
  requestTimeout: 0,
  keepAliveTimeout: 65_000,
  shouldUpgradeCallback: isAttachUpgrade,
};

/**
 * Serves the Platform API, git, log streams and attach on one port, over HTTP and TLS alike, and on the local socket.
 * Disposing ends streams cleanly, waits a moment for requests under way, then closes.
 */
export async function openApi(options: ApiOptions): Promise<ApiServer> {
  const { host, blobs, builds, log, listen } = options;
  const closing = new AbortController();
  const attachSessions = new AttachSessions();
  const logSessions = new LogSessions();
  const openStreams = new OpenStreams(() => host.view());
  const sources = new Sources(
    blobs,
    () => host.view(),
    (err) => log.error({ err }, 'source not removed'),
  );
  const slugUploads = new SlugUploads();
  const tasks = new Tasks(log);
  const api: Api = {
    host,
    logs: options.logs,
    blobs,
    addons: options.addons,
    builds,
    clusterBuilds: options.clusterBuilds,
    stack: options.stack,
    volumes: options.volumes,
    log,
    tasks,
    webUrl: options.webUrl,
    attachSessions,
    releases: options.releases,
    buildJobs: new BuildJobs(builds, options.releases, closing.signal),
    logSessions,
    openStreams,
    sources,
    slugUploads,
    closing: closing.signal,
  };
  const dispatcher = new Dispatcher(api, options.git, ALL_ROUTES);
  const fallbackUrl = (): string => `http://${reachable(listen.host)}:${portOf(network)}`;
  const serve = (door: Door): RequestListener => {
    return (message, response) => {
      tasks.run('request', () => dispatcher.handle(message, response, door));
    };
  };
  const network = createServer(SERVER_OPTIONS, serve({ user: null, fallbackUrl }));
  const local = createServer(SERVER_OPTIONS, serve({ user: `local@${hostname()}`, fallbackUrl }));
  serveOnePort(network, {
    tls: options.tls,
    onRendezvous: (socket) => serveRendezvous(attachSessions, socket),
    log,
  });
  const servers = [
    new TrackedServer(network, attachSessions, log),
    new TrackedServer(local, attachSessions, log),
  ] as const;

  let closed: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    closing.abort();
    for (const part of [attachSessions, logSessions, openStreams, sources, slugUploads])
      part[Symbol.dispose]();
    await Promise.all(servers.map((server) => server.close()));
    await rm(options.socketPath, { force: true });
  };
  try {
    await servers[0].listen(listen);
    await rm(options.socketPath, { force: true });
    await servers[1].listen({ path: options.socketPath });
    await chmod(options.socketPath, 0o600);
  } catch (error) {
    await Promise.all(servers.map((server) => server.close()));
    throw error;
  }
  const port = portOf(network);
  log.info({ host: listen.host, port, socket: options.socketPath }, 'api is open');
  return { port, [Symbol.asyncDispose]: () => (closed ??= close()) };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** An address that a client on this machine can use: one that listens everywhere is itself no destination. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::' || host === '') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
