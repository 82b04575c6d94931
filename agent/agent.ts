import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { PlatformError } from '../src/errors.ts';
import type { PeerId } from '../src/ids.ts';
import { createSigner } from '../src/ledger/signing.ts';
import { createPeer } from '../src/peer/create.ts';
import { holdersIn } from '../src/peer/holders.ts';
import { routeTable } from '../src/peer/route-table.ts';
import { openApi } from './api/server.ts';
import { admit } from './boot/admit.ts';
import { loadSeed, openDataDir } from './boot/data-dir.ts';
import { ensureToken, foundCluster } from './boot/found.ts';
import { describePeer } from './boot/identity.ts';
import { rejoinWith } from './boot/join.ts';
import { openLedger } from './boot/ledger.ts';
import { noteStarted } from './boot/poison.ts';
import { pickPort, portOf } from './boot/ports.ts';
import { openTls } from './boot/tls.ts';
import { openBuilds } from './builds/builder.ts';
import { advertisedHosts } from './config/addresses.ts';
import type { AgentConfig } from './config/config.ts';
import { openGit } from './git/git-server.ts';
import { DataKeys } from './keys/data-keys.ts';
import { openKeyExchange } from './keys/key-exchange.ts';
import { serveCalls } from './lib/peer-call.ts';
import { endSpawned } from './lib/side-process.ts';
import { Tasks } from './lib/tasks.ts';
import { coalesce } from './lib/timers.ts';
import { openLogs } from './logs/logs.ts';
import { Inside } from './one-offs/inside.ts';
import { OneOffs } from './one-offs/one-offs.ts';
import { serveInside } from './one-offs/remote-inside.ts';
import { serveOneOffs } from './one-offs/remote-one-offs.ts';
import { forgetDestroyed, startBackground } from './peer/background.ts';
import { now } from './peer/clock.ts';
import { Collector } from './peer/collector.ts';
import { Commands } from './peer/commands.ts';
import { adoptedFrom } from './peer/dyno-labels.ts';
import { DiskWatch } from './peer/disk-watch.ts';
import { DynoManager } from './peer/dyno-manager.ts';
import { dynoEnvironment, lifeEnvironment } from './peer/environment.ts';
import { handOver } from './peer/hand-over.ts';
import { OutputPositions } from './peer/output-positions.ts';
import { AgentHost, STOP_SERVICE } from './peer/peer-host.ts';
import { PeerLoop } from './peer/peer-loop.ts';
import { createPerformer, receive } from './peer/performer.ts';
import { followStack } from './peer/follow-stack.ts';
import { serveUsage } from './peer/usage-calls.ts';
import { UsageWatch } from './peer/usage-watch.ts';
import { ReleaseRunner } from './releases/release-runner.ts';
import { openReleases } from './releases/releases.ts';
import { openRouter } from './router/handle.ts';
import { openRuntime } from './runtimes/choose.ts';
import { openBlobs } from './slugs/blob-store.ts';
import { knownStack } from './stack/known-stack.ts';
import { StackKeeper } from './stack/stack-keeper.ts';
import { openVolumes } from './volumes/volumes.ts';

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
  // A start that fails before dynos can run leaves no keeper and no router behind.
  using unstarted = new DisposableStack();
  unstarted.defer(endSpawned);
  await using parts = new AsyncDisposableStack();
  const abort = new AbortController();
  const tasks = new Tasks(log);
  const dir = await openDataDir(config.dir);
  const seed = loadSeed(dir.path);
  const keys = new DataKeys(dir.path);
  const { store, mesh, past, cluster, isFounder } = await openLedger(parts, { config, dir, seed, keys, log });

  // Everything below calls back into the loop, which comes last: until then there is nothing to call.
  let opened: PeerLoop | null = null;
  const loop = (): PeerLoop => {
    if (opened !== null) return opened;
    throw new PlatformError('unavailable', 'This agent is still starting', { hint: 'Try again in a moment' });
  };
  const holders = (blob: string): readonly PeerId[] => holdersIn(loop().state, blob);
  const others = (): readonly PeerId[] => (opened === null ? [] : host.others());

  // The parts that touch the world: dynos, requests, files, log lines.
  const blobs = parts.use(await openBlobs({ dir: dir.blobs, mesh, log: log.child({ component: 'blobs' }) }));
  const stack = parts.use(
    new StackKeeper({
      image: config.stackImage,
      arch: process.arch,
      blobs,
      holders,
      log: log.child({ component: 'stack' }),
    }),
  );
  if (config.runtime !== 'process') await stack.prepare(knownStack(past.ops, process.arch));
  const runtime = parts.use(
    await openRuntime(config.runtime, {
      dir: dir.path,
      log: log.child({ component: 'runtime' }),
      stackImage: config.stackImage,
    }),
  );
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
  const logs = parts.use(
    await openLogs({
      dir: dir.logs,
      mesh,
      members: others,
      log: log.child({ component: 'logs' }),
      now: Date.now,
    }),
  );
  const positions = parts.use(new OutputPositions(join(dir.path, 'output-positions.json'), log));

  // What the machine decides about dynos, done; and one-offs, which nobody decides but their users.
  const common = { runtime, blobs, logs, mesh, store, keys, tasks, log };
  const oneOffs = parts.use(
    new OneOffs({
      ...common,
      self: mesh.self,
      holders,
      environment: (app, release, name) => dynoEnvironment(app, release, name, keys),
      publish: (list) => opened?.dispatch({ tag: 'oneOffs', list }),
    }),
  );
  const inside = new Inside(common);
  const usage = new UsageWatch({
    ...common,
    state: () => loop().state,
    view: () => loop().state.fold.view,
  });
  const volumes = await openVolumes({
    ...common,
    dir: join(dir.path, 'volumes'),
    host: () => host,
    isUsed: (volume) =>
      dynos.isMounted(volume) ||
      [...loop().state.dynos.values()].some(({ slot }) =>
        slot.volumes.some((each) => each.volume === volume),
      ),
    closing: abort.signal,
    log: log.child({ component: 'volumes' }),
  });
  const dynos: DynoManager = new DynoManager({
    ...common,
    volumePath: (volume, copy) => volumes.path(volume, copy),
    router,
    positions,
    report: (dyno, event) => opened?.dispatch({ tag: 'dyno', dyno, event }),
    environment: (life) => lifeEnvironment(life, host.view(), keys),
    onForeign(event) {
      releaseRunner.onRuntime(event);
      oneOffs.onRuntime(event);
    },
    holders,
    onAvailable: (on, reason) => opened?.dispatch({ tag: 'runtime', on, reason }),
  });

  // The peer as its users see it: API, git, builds.
  const disk = new DiskWatch(dir.path);
  const commands = new Commands(disk);
  const { promise: rejoin, resolve: startOver } = Promise.withResolvers<void>();
  const collector = new Collector({
    ...common,
    loop,
    holders,
    host: { self: mesh.self, view: () => loop().state.fold.view },
    budgetBytes: config.diskBudgetMiB * 1024 ** 2,
    log: log.child({ component: 'collector' }),
  });
  const host = new AgentHost({
    ...common,
    loop,
    commands,
    oneOffs,
    inside,
    usage,
    collect: () => collector.collect(),
    join: (token) => rejoinWith(token, { host, mesh, store, dir, name: config.name, startOver }),
  });
  const releaseRunner = new ReleaseRunner({
    ...common,
    host: () => host,
    start: (app, release, request, size) => oneOffs.start(app, release, request, size),
    stop: (dyno) => oneOffs.stop(dyno),
    peersForReplication: others,
    log: log.child({ component: 'releases' }),
  });
  const releases = openReleases({ ...common, host: () => host, runner: releaseRunner, holders });
  const builds = parts.use(
    await openBuilds({
      dir: dir.path,
      host,
      blobs,
      httpPort: router.httpPort,
      domain: config.domain,
      log: log.child({ component: 'builds' }),
      runtimeArch: process.arch,
      peersForReplication: others,
      onLog: (app, text) => logs.append({ app, source: 'app', process: 'api', text }),
      buildpacksDir: join(import.meta.dirname, '..', 'buildpacks'),
      containerImage: runtime.kind === 'docker' ? config.stackImage : null,
    }),
  );
  const gitLog = log.child({ component: 'git' });
  const git = await openGit({
    dir: dir.path,
    host,
    blobs,
    builds,
    releases,
    log: gitLog,
    gitHolders: holders,
  });
  const tls = openTls(advertisedHosts(config.host), config.domain);
  const api = parts.use(
    await openApi({
      host,
      logs,
      blobs,
      builds,
      releases,
      git,
      stack,
      volumes,
      socketPath: dir.socket,
      tls: tls.current,
      log: log.child({ component: 'api' }),
      listen: { host: config.host, port: await pickPort(config.host, config.api, past.ports.api) },
      webUrl: (app) => `http://${app.name}.${config.domain ?? 'localhost'}:${router.httpPort}/`,
    }),
  );

  // The machine itself, with what the last agent left behind.
  const ports = {
    mesh: portOf(mesh.addrs()[0] ?? ''),
    api: api.port,
    http: router.httpPort,
    proxy: router.proxyPort,
  };
  await store.append([], { ports });
  const found = await runtime.list((dyno) => positions.last(dyno));
  const adopted = found.flatMap((dyno) => adoptedFrom(dyno) ?? []);
  for (const { dyno, slot } of adopted) dynos.know(dyno, slot.app, `${slot.type}.${slot.index}`);
  for (const dyno of found) {
    releaseRunner.adopt(dyno);
    oneOffs.adopt(dyno);
  }
  let tableVersion = 0;
  const sendRoutes = coalesce(() =>
    tasks.run('set routes', () => router.setTable(routeTable(loop().state, ++tableVersion, config.domain))),
  );
  const identity = describePeer(config, { signer: createSigner(seed), cluster, past, ports, runtime });
  const boot = { seed: randomBytes(4).readUInt32LE(), ...past, adopted, blobs: blobs.list() };
  const performer = createPerformer({
    ...common,
    dynos,
    releases: releaseRunner,
    dispatch: (event) => opened?.dispatch(event),
    onAnswer: (id, result) => commands.answer(id, result),
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
  router.onLog((line) => logs.append({ ...line, source: 'heroku', process: 'router' }));
  serveOneOffs(mesh, tasks, (request) => host.runForPeer(request));
  serveInside(mesh, tasks, inside);
  serveUsage(mesh, usage);
  volumes.serve();
  usage.repeat(abort.signal);
  serveCalls(mesh, STOP_SERVICE, async (request) => oneOffs.stopNamed(request));
  mesh.onJoin((request) => admit(request, { ...common, host }));
  if (isFounder) await foundCluster(host, keys, config.name);
  await ensureToken(host, dir.token, config.name);
  const exchange = openKeyExchange({ ...common, view: () => host.view(), signal: abort.signal });
  const forget = forgetDestroyed(host, logs, tasks);
  const stackParts = { ...common, stack, host, builds, loop: peer, choice: config.runtime, startOver };
  const follow = [
    () => exchange.want(),
    () => tls.follow(host.view(), keys, tasks),
    forget,
    followStack(stackParts),
    () => volumes.keeper.follow(),
  ];
  await noteStarted(store);
  disk.watch(peer, abort.signal, (err) => log.error({ err }, 'disk not looked at'));
  collector.repeat(abort.signal);
  volumes.keeper.repeat(abort.signal);
  startBackground({ ...common, host, loop: peer, signal: abort.signal, follow });

  const all = parts.move();
  return {
    ready: {
      ready: true,
      peer: mesh.self,
      name: config.name,
      api: `http://${identity.addrs.api}`,
      http: `http://${identity.addrs.http}`,
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
