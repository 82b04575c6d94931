import { cpus, loadavg, totalmem } from 'node:os';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { PlatformError } from '../src/errors.ts';
import type { ClusterId, PeerId } from '../src/ids.ts';
import { createSigner } from '../src/ledger/signing.ts';
import { createPeer } from '../src/peer/create.ts';
import { holdersIn } from '../src/peer/holders.ts';
import { routeTable } from '../src/peer/route-table.ts';
import type { PeerState } from '../src/peer/state.ts';
import { openApi } from './api/server.ts';
import { applyGrant, askToJoin, saveGrant, takeSavedGrant } from './boot/join.ts';
import { admit } from './boot/admit.ts';
import { loadSeed, openDataDir } from './boot/data-dir.ts';
import { pickPort, portOf } from './boot/ports.ts';
import { ensureToken, foundCluster } from './boot/found.ts';
import { randomId, readPast } from './boot/past.ts';
import { openTls } from './boot/tls.ts';
import { openBuilds } from './builds/builder.ts';
import { advertisedHosts, hostPort, listenMultiaddr } from './config/addresses.ts';
import type { AgentConfig } from './config/config.ts';
import { openGit } from './git/git-server.ts';
import { DataKeys } from './keys/data-keys.ts';
import { openKeyExchange } from './keys/key-exchange.ts';
import { serveCalls } from './lib/peer-call.ts';
import { Tasks } from './lib/tasks.ts';
import { coalesce, every } from './lib/timers.ts';
import { VERSION } from './lib/version.ts';
import { openLogs } from './logs/logs.ts';
import { openMesh } from './mesh/mesh.ts';
import { OneOffs } from './one-offs/one-offs.ts';
import { serveOneOffs } from './one-offs/remote-one-offs.ts';
import { now } from './peer/clock.ts';
import { Commands } from './peer/commands.ts';
import { adoptedFrom } from './peer/dyno-labels.ts';
import { DynoManager } from './peer/dyno-manager.ts';
import { dynoEnvironment } from './peer/environment.ts';
import { AgentHost, STOP_SERVICE } from './peer/peer-host.ts';
import { OutputPositions } from './peer/output-positions.ts';
import { PeerLoop } from './peer/peer-loop.ts';
import { createPerformer, receive } from './peer/performer.ts';
import { openRouter } from './router/handle.ts';
import { openRuntime } from './runtimes/choose.ts';
import { openBlobs } from './slugs/blob-store.ts';
import { openStore } from './store/store.ts';

const LOAD_EVERY_MS = 15_000;
const COLLECT_EVERY_MS = 10 * 60_000;
/** SIGTERM to a dyno, then SIGKILL after 30 s, and a little. */
const STOP_DYNOS_MS = 40_000;
const HAND_OVER_MS = 60_000;

/** What the agent says on stdout once it serves. */
export type Ready = {
  readonly ready: true;
  readonly peer: PeerId;
  readonly name: string;
  readonly api: string;
  readonly http: string;
  readonly mesh: readonly string[];
  readonly runtime: string;
  readonly isolation: string;
};

export type Agent = {
  readonly ready: Ready;
  /** Resolves when this peer was admitted to another cluster: close it with `stay`, and open it again. */
  readonly rejoin: Promise<void>;
  /**
   * `leave`: hand everything over to other peers, stop what is left, say goodbye. `stay`: end the agent alone; dynos
   * and router go on and are adopted by the next one.
   */
  close(how: 'leave' | 'stay'): Promise<void>;
};

/** Starts a peer: everything is opened in order of need, and closed the other way round. */
export async function openAgent(config: AgentConfig, log: Logger): Promise<Agent> {
  const abort = new AbortController();
  await using parts = new AsyncDisposableStack();
  const tasks = new Tasks(log);
  const dir = await openDataDir(config.dir);
  const seed = loadSeed(dir.path);
  const signer = createSigner(seed);
  const keys = new DataKeys(dir.path);

  const saved = await takeSavedGrant(dir.grant, dir.store);
  const store = parts.use(await openStore(dir.store, log.child({ component: 'store' })));
  if (saved !== null) {
    await applyGrant(saved, store, keys);
    await rm(dir.grant);
  }
  let past = await readPast(store, log);

  const mesh = parts.use(
    await openMesh({
      seed,
      listen: [listenMultiaddr(config.host, await pickPort(config.host, config.mesh, past.ports.mesh))],
      log: log.child({ component: 'mesh' }),
      mdns: config.host.startsWith('127.') ? null : { serviceTag: 'kith' },
    }),
  );
  const isNew = past.cluster === null;
  if (isNew && config.join !== null) {
    log.info('asking to join');
    await applyGrant(await askToJoin(mesh, config.join, config.name), store, keys);
    past = await readPast(store, log);
  }
  const isFounder = past.cluster === null;
  const cluster = past.cluster ?? (randomId(26) as ClusterId);
  if (isFounder) await store.append([], { cluster });

  // Everything below calls back into the loop, which comes last: until then there is nothing to call.
  let loop: PeerLoop | null = null;
  const theLoop = (): PeerLoop => {
    if (loop !== null) return loop;
    throw new PlatformError('unavailable', 'This agent is still starting', { hint: 'Try again in a moment' });
  };
  const state = (): PeerState => theLoop().state;
  const others = (): readonly PeerId[] =>
    host
      .peers()
      .filter((p) => p.verdict === 'alive' && p.peer !== mesh.self)
      .map((p) => p.peer);

  const runtime = parts.use(await openRuntime(config.runtime, dir.path, log.child({ component: 'runtime' })));
  const router = parts.use(
    await openRouter({
      dir: dir.path,
      host: config.host,
      port: await pickPort(config.host, config.http, past.ports.http),
      proxyHost: config.host,
      proxyPort: await pickPort(config.host, config.mesh === 0 ? 0 : config.mesh + 1_000, past.ports.proxy),
      log: log.child({ component: 'router' }),
    }),
  );
  const blobs = parts.use(await openBlobs({ dir: dir.blobs, mesh, log: log.child({ component: 'blobs' }) }));
  const logs = parts.use(
    await openLogs({
      dir: dir.logs,
      mesh,
      members: () => (loop === null ? [] : others()),
      log: log.child({ component: 'logs' }),
      now: Date.now,
    }),
  );
  const positions = parts.use(new OutputPositions(join(dir.path, 'output-positions.json'), log));
  const commands = new Commands();
  const oneOffs = new OneOffs({
    self: mesh.self,
    runtime,
    blobs,
    logs,
    tasks,
    log,
    holders: (slug) => holdersIn(state(), slug.id),
    environment: (app, release, name) => dynoEnvironment(app, release, name, keys),
    publish: (list) => loop?.dispatch({ tag: 'oneOffs', list }),
  });
  const dynos = new DynoManager({
    runtime,
    blobs,
    logs,
    router,
    positions,
    tasks,
    log,
    report: (dyno, event) => loop?.dispatch({ tag: 'dyno', dyno, event }),
    environment: (life) => {
      const app = state().fold.view.apps.get(life.slot.app);
      const release = app?.releases.get(life.slot.release);
      if (app === undefined || release === undefined)
        throw new PlatformError('not_found', 'Its release is not here');
      return dynoEnvironment(app, release, `${life.slot.type}.${life.slot.index}`, keys);
    },
    onForeign: (event) => oneOffs.onRuntime(event),
  });
  const { promise: rejoin, resolve: startOver } = Promise.withResolvers<void>();
  const host = new AgentHost({
    loop: theLoop,
    commands,
    mesh,
    store,
    keys,
    logs,
    oneOffs,
    join: async (token) => {
      if (host.view().members.size > 1 || host.view().names.size > 0) {
        throw new PlatformError('conflict', 'Cannot join: this peer has peers or apps of its own', {
          hint: 'Start an agent with a fresh data directory: kith agent --data DIR --join TOKEN',
        });
      }
      saveGrant(dir.grant, await askToJoin(mesh, token, config.name));
      // The client that asked gets its answer first.
      setTimeout(startOver, 200);
    },
  });
  const holders = (blob: string): readonly PeerId[] => holdersIn(state(), blob);
  const builds = parts.use(
    await openBuilds({
      dir: dir.path,
      host,
      blobs,
      log: log.child({ component: 'builds' }),
      runtimeArch: process.arch,
      peersForReplication: others,
      onLog: (app, text) => logs.append({ app, source: 'app', process: 'api', text }),
      buildpacksDir: join(import.meta.dirname, '..', 'buildpacks'),
      httpPort: router.httpPort,
      domain: config.domain,
    }),
  );
  const git = await openGit({
    dir: dir.path,
    host,
    blobs,
    builds,
    log: log.child({ component: 'git' }),
    gitHolders: holders,
  });
  const tls = openTls(advertisedHosts(config.host), config.domain);
  const api = parts.use(
    await openApi({
      host,
      logs,
      blobs,
      builds,
      git,
      log: log.child({ component: 'api' }),
      listen: { host: config.host, port: await pickPort(config.host, config.api, past.ports.api) },
      socketPath: dir.socket,
      tls: tls.current,
      webUrl: (app) => `http://${app.name}.${config.domain ?? 'localhost'}:${router.httpPort}/`,
    }),
  );

  const hosts = advertisedHosts(config.host);
  const main = hosts[0] ?? '127.0.0.1';
  const meshPort = portOf(mesh.addrs()[0] ?? '');
  await store.append([], {
    ports: { mesh: meshPort, api: api.port, http: router.httpPort, proxy: router.proxyPort },
  });
  const found = await runtime.list((dyno) => positions.last(dyno));
  for (const dyno of found) {
    const adopted = adoptedFrom(dyno);
    if (adopted === null) oneOffs.adopt(dyno);
    else dynos.know(dyno.dyno, adopted.slot.app, `${adopted.slot.type}.${adopted.slot.index}`);
  }
  let version = 0;
  const sendRoutes = coalesce(() =>
    tasks.run('set routes', () => router.setTable(routeTable(state(), ++version, config.domain))),
  );
  const exchange = openKeyExchange({ mesh, keys, tasks, log, view: () => host.view(), signal: abort.signal });
  const performer = createPerformer({
    mesh,
    store,
    dynos,
    tasks,
    log,
    dispatch: (event) => loop?.dispatch(event),
    onAnswer: (id, result) => commands.answer(id, result),
    onRoutes: sendRoutes,
  });
  const first = createPeer(
    {
      signer,
      cluster,
      incarnation: past.incarnation,
      name: config.name,
      version: VERSION,
      arch: process.arch,
      runtime: runtime.kind,
      isolation: runtime.isolation,
      labels: {},
      addrs: {
        mesh: hosts.map((address) => listenMultiaddr(address, meshPort)),
        api: hostPort(main, api.port),
        http: hostPort(main, router.httpPort),
        proxy: hostPort(main, router.proxyPort),
      },
      capacity: { memoryMiB: Math.floor(totalmem() / 2 ** 20), cpus: cpus().length },
    },
    {
      seed: randomBytes(4).readUInt32LE(),
      epoch: past.epoch,
      ops: past.ops,
      addresses: past.addresses,
      adopted: found.flatMap((dyno) => adoptedFrom(dyno) ?? []),
      blobs: blobs.list(),
    },
    now(),
  );
  loop = new PeerLoop(first, performer, log.child({ component: 'peer' }));
  const running = loop;
  parts.defer(() => running.close());
  receive(mesh, (event) => running.dispatch(event), log);
  for (const peer of mesh.connected()) running.dispatch({ tag: 'connected', peer });
  blobs.onChange(() => running.dispatch({ tag: 'blobs', held: blobs.list() }));
  router.onLog(({ app, timeUs, text }) =>
    logs.append({ app, source: 'heroku', process: 'router', text, timeUs }),
  );
  serveOneOffs(mesh, tasks, (request) => host.runForPeer(request));
  serveCalls(mesh, STOP_SERVICE, async (request) => {
    const { app, name } = request as { app: string; name: string };
    const dyno = oneOffs.find(app, name);
    if (dyno !== null) oneOffs.stop(dyno);
  });
  mesh.onJoin((request) => admit(request, { host, mesh, store, keys }));
  if (isFounder) await foundCluster(host, keys, config.name);
  await ensureToken(host, dir.token, config.name);
  const follow = (): void => {
    exchange.want();
    tls.follow(host.view(), keys, tasks);
    if (host.view().members.get(mesh.self)?.state === 'removed' && !running.state.stopping) {
      log.error(
        { hint: 'to join again, remove the data directory' },
        'this peer was removed from its cluster',
      );
      running.dispatch({ tag: 'stopAll' });
    }
  };
  running.onChange(follow);
  follow();
  every(LOAD_EVERY_MS, abort.signal, () =>
    running.dispatch({ tag: 'load', load: Math.round((loadavg()[0] ?? 0) * 10) / 10 }),
  );
  every(COLLECT_EVERY_MS, abort.signal, () =>
    tasks.run('collect', () => runtime.collect(slugsInUse(running.state))),
  );

  const opened = parts.move();
  return {
    ready: {
      ready: true,
      peer: mesh.self,
      name: config.name,
      api: `http://${hostPort(main, api.port)}`,
      http: `http://${hostPort(main, router.httpPort)}`,
      mesh: mesh.addrs().map((addr) => `${addr}/p2p/${mesh.self}`),
      runtime: runtime.kind,
      isolation: runtime.isolation,
    },
    rejoin,
    async close(how) {
      if (how === 'leave') {
        await handOver(host, running, log);
        await oneOffs.shutdown();
        running.dispatch({ tag: 'leave' });
        // The goodbye travels while the router finishes.
        await router.shutdown(5_000);
        await runtime.shutdown();
      }
      abort.abort();
      await opened.disposeAsync();
      await tasks.settled();
    },
  };
}

/** Gives every dyno to other peers, start-first; what nobody takes in time is stopped. */
async function handOver(host: AgentHost, loop: PeerLoop, log: Logger): Promise<void> {
  const drained = host
    .drain(true)
    .catch((err: unknown) => log.warn({ err }, 'not all dynos were handed over'));
  await Promise.race([drained, sleep(HAND_OVER_MS)]);
  loop.dispatch({ tag: 'stopAll' });
  const deadline = performance.now() + STOP_DYNOS_MS;
  while (loop.state.dynos.size > 0 && performance.now() < deadline) await sleep(20);
}

/** Unpacked slugs that a dyno runs from, or would be started from. */
function slugsInUse(state: PeerState): ReadonlySet<string> {
  const current = [...state.fold.view.names.values()].map((id) => {
    const app = state.fold.view.apps.get(id);
    return app === undefined || app.current === null ? undefined : app.releases.get(app.current)?.slug?.id;
  });
  const running = [...state.dynos.values()].map((life) => life.slot.slug);
  return new Set([...current, ...running].filter((slug) => slug !== undefined));
}
