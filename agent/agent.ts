import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { PlatformError } from '../src/errors.ts';
import type { PeerId } from '../src/ids.ts';
import { createSigner } from '../src/ledger/signing.ts';
import { createPeer } from '../src/peer/create.ts';
import { holdersIn } from '../src/peer/holders.ts';
import { routeTable, suffixesOf } from '../src/peer/route-table.ts';
import { admit } from './boot/admit.ts';
import type { Base } from './boot/base.ts';
import { loadSeed, openDataDir } from './boot/data-dir.ts';
import { openDynoSide } from './boot/dyno-side.ts';
import { ensureToken, foundCluster } from './boot/found.ts';
import { describePeer } from './boot/identity.ts';
import { rejoinWith } from './boot/join.ts';
import { openLedger } from './boot/ledger.ts';
import { noteStarted } from './boot/poison.ts';
import { portOf } from './boot/ports.ts';
import { openUserSide } from './boot/user-side.ts';
import { openWorld } from './boot/world.ts';
import { CertFeed } from './certificates/cert-feed.ts';
import { advertisedHosts, hostPort } from './config/addresses.ts';
import type { AgentConfig } from './config/config.ts';
import { DataKeys } from './keys/data-keys.ts';
import { openKeyExchange } from './keys/key-exchange.ts';
import { serveCalls } from './lib/peer-call.ts';
import { endSpawned } from './lib/side-process.ts';
import { Tasks } from './lib/tasks.ts';
import { coalesce } from './lib/timers.ts';
import { serveInside } from './one-offs/remote-inside.ts';
import { serveOneOffs } from './one-offs/remote-one-offs.ts';
import { forgetDestroyed, startBackground } from './peer/background.ts';
import { now } from './peer/clock.ts';
import { Collector } from './peer/collector.ts';
import { Commands } from './peer/commands.ts';
import { Duties } from './peer/duties.ts';
import { DiskWatch } from './peer/disk-watch.ts';
import { followStack } from './peer/follow-stack.ts';
import { handOver } from './peer/hand-over.ts';
import { AgentHost, STOP_SERVICE } from './peer/peer-host.ts';
import { PeerLoop } from './peer/peer-loop.ts';
import { createPerformer, receive } from './peer/performer.ts';
import { PortKeeper } from './peer/port-keeper.ts';
import { serveUsage } from './peer/usage-calls.ts';

/** What the agent says on stdout once it serves. */
export type Ready = {
  readonly ready: true;
  readonly peer: PeerId;
  readonly name: string;
  readonly api: string;
  readonly http: string;
  /** Where apps are served over TLS; the same port as `http` unless another was asked for. */
  readonly https: string;
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
  // A start that fails before dynos can run leaves no keeper and no router behind.
  using unstarted = new DisposableStack();
  unstarted.defer(endSpawned);
  await using parts = new AsyncDisposableStack();
  const abort = new AbortController();
  const tasks = new Tasks(log);
  const dir = await openDataDir(config.dir);
  const seed = loadSeed(dir.path);
  const keys = new DataKeys(dir.path);
  const ledger = await openLedger(parts, { config, dir, seed, keys, log });
  const { store, mesh, past, cluster, isFounder } = ledger;

  // Everything below calls back into the loop, which comes last: until then there is nothing to call.
  let opened: PeerLoop | null = null;
  const loop = (): PeerLoop => {
    if (opened !== null) return opened;
    throw new PlatformError('unavailable', 'This agent is still starting', { hint: 'Try again in a moment' });
  };
  const base: Base = {
    ...ledger,
    config,
    dir,
    keys,
    tasks,
    log,
    closing: abort.signal,
    loop,
    opened: () => opened,
    host: () => host,
    holders: (blob) => holdersIn(loop().state, blob),
    others: () => (opened === null ? [] : host.others()),
  };
  const world = await openWorld(parts, base);
  const { blobs, runtime, router, logs } = world;
  const dynoSide = await openDynoSide(parts, base, world);
  const { oneOffs, inside, releaseRunner, volumes, usage } = dynoSide;

  const common = { ...base, ...world };
  const disk = new DiskWatch(dir.path);
  const commands = new Commands(disk);
  const { promise: rejoin, resolve: startOver } = Promise.withResolvers<void>();
  const collector = new Collector({
    ...common,
    budgetBytes: config.diskBudgetMiB * 1024 ** 2,
    log: log.child({ component: 'collector' }),
  });
  const host: AgentHost = new AgentHost({
    ...common,
    commands,
    oneOffs,
    inside,
    usage,
    collect: () => collector.collect(),
    join: (token) => rejoinWith(token, { host, mesh, store, dir, name: config.name, startOver }),
  });
  const userSide = await openUserSide(parts, base, world, dynoSide);
  const { api, builds, tls } = userSide;

  // The machine itself, with what the last agent left behind.
  const ports = {
    mesh: portOf(mesh.addrs()[0] ?? ''),
    api: api.port,
    http: router.httpPort,
    https: router.httpsPort,
    proxy: router.proxyPort,
  };
  await store.append([], { ports });
  const adopted = await dynoSide.adopt();
  let tableVersion = 0;
  const routeSettings = { domain: config.domain, internalHost: runtime.internalHost };
  const sendRoutes = coalesce(() =>
    tasks.run('set routes', () => router.setTable(routeTable(loop().state, ++tableVersion, routeSettings))),
  );
  const identity = describePeer(config, { signer: createSigner(seed), cluster, past, ports, runtime });
  const boot = { seed: randomBytes(4).readUInt32LE(), ...past, adopted, blobs: blobs.list() };
  const duties = new Duties(
    { ...dynoSide.dutyWorkers, ...userSide.dutyWorkers },
    tasks,
    log.child({ component: 'duties' }),
  );
  parts.defer(() => duties.close());
  const performer = createPerformer({
    ...common,
    dynos: dynoSide.dynos,
    releases: releaseRunner,
    dispatch: (event) => opened?.dispatch(event),
    onAnswer: (id, result) => commands.answer(id, result),
    onDuties: (all) => duties.follow(all),
    onRoutes: sendRoutes,
  });
  const peer = new PeerLoop(createPeer(identity, boot, now()), performer, log.child({ component: 'peer' }));
  parts.defer(() => peer.close());
  unstarted.move();
  opened = peer;

  // From here on it hears and is heard.
  receive(mesh, (event) => peer.dispatch(event), log);
  for (const other of mesh.connected()) peer.dispatch({ tag: 'connected', peer: other });
  blobs.onChange(() => peer.dispatch({ tag: 'blobs', held: blobs.list() }));
  new PortKeeper({ runtime, tasks, log, signal: abort.signal }).follow(router);
  router.onLog((line) => logs.append({ ...line, source: 'heroku', process: 'router' }));
  serveOneOffs(mesh, tasks, (request) => host.runForPeer(request));
  serveInside(mesh, tasks, inside);
  serveUsage(mesh, usage);
  serveCalls(mesh, STOP_SERVICE, async (request) => oneOffs.stopNamed(request));
  volumes.serve();
  const known = { ...common, host };
  mesh.onJoin((request) => admit(request, known));
  if (isFounder) await foundCluster(host, keys, config.name);
  await ensureToken(host, dir.token, config.name);
  const exchange = openKeyExchange({ ...known, view: () => host.view(), signal: abort.signal });
  const certFeed = new CertFeed({
    open: (app, name, sealed) => keys.open(app, name, sealed),
    send: (table) => router.setCerts(table),
    suffixes: suffixesOf(config.domain),
    tasks,
    log: log.child({ component: 'certificates' }),
  });
  const follow = [
    () => exchange.want(),
    () => tls.follow(host.view(), keys, tasks),
    () => certFeed.follow(host.view(), tls.issue()),
    forgetDestroyed(host, { logs, builds, tasks }),
    followStack({ ...known, builds, loop: peer, choice: config.runtime, startOver }),
    () => volumes.keeper.follow(),
  ];
  await noteStarted(store);
  usage.repeat(abort.signal);
  disk.watch(peer, abort.signal, (err) => log.error({ err }, 'disk not looked at'));
  collector.repeat(abort.signal);
  volumes.keeper.repeat(abort.signal);
  startBackground({ ...known, loop: peer, signal: abort.signal, follow });

  const all = parts.move();
  return {
    ready: {
      ready: true,
      peer: mesh.self,
      name: config.name,
      api: `http://${identity.addrs.api}`,
      http: `http://${identity.addrs.http}`,
      https: `https://${hostPort(advertisedHosts(config.host)[0] ?? '127.0.0.1', router.httpsPort ?? router.httpPort)}`,
      mesh: mesh.addrs().map((addr) => `${addr}/p2p/${mesh.self}`),
      runtime: runtime.kind,
      isolation: runtime.isolation,
    },
    rejoin,
    async close(how) {
      releaseRunner.close();
      if (how === 'leave') {
        await handOver(host, peer, log);
        await oneOffs.shutdown();
        peer.dispatch({ tag: 'leave' });
        // The goodbye travels while the router finishes.
        await router.shutdown(5_000);
        await runtime.shutdown();
      }
      abort.abort();
      await all.disposeAsync();
      await tasks.settled();
    },
  };
}
