import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentProcess } from '../lib/agent-process.ts';
import { appRequest } from '../lib/app-request.ts';
import { kith, must } from '../lib/kith.ts';
import { askApi } from '../lib/peer-api.ts';
import { checkOutSample, push } from '../lib/sample-app.ts';
import { BenchCluster, waitFor, type BenchRuntime } from './cluster.ts';
import type { Finding } from './report.ts';
import { digits, summarize } from './stats.ts';

const APP = 'hello';
const DYNOS = 4;
const KILLS = 24;
const KILLS_QUICK = 4;
const TAKEOVER_MS = 60_000;
const LOOK_MS = 5;
/** The formation has not moved for so long: the next kill meets a cluster at rest. */
const CALM_MS = 3_000;
const BETWEEN_REQUESTS_MS = 10;

type Dyno = { readonly id: string; readonly state: string; readonly peer: { readonly id: string } };
type Kill = {
  readonly ms: number;
  readonly lostDynos: number;
  readonly asked: number;
  readonly failed: number;
};
type Run = { readonly runtime: BenchRuntime; readonly kills: readonly Kill[] };

/** A host is lost, again and again: how long until everything that ran there runs, and answers, elsewhere? */
export async function benchFailover({ quick }: { readonly quick: boolean }): Promise<Finding> {
  const runs: Run[] = [];
  for (const runtime of ['process', 'docker'] as const) {
    process.stdout.write(`  dynos by ${runtime}\n`);
    runs.push({ runtime, kills: await loseHosts(runtime, quick ? KILLS_QUICK : KILLS) });
  }
  return report(runs);
}

async function loseHosts(runtime: BenchRuntime, count: number): Promise<readonly Kill[]> {
  await using cluster = await BenchCluster.start(3, runtime);
  const [first] = cluster.agents;
  if (first === undefined) throw new Error('No peer');
  const source = join(cluster.dir, 'source');
  await checkOutSample(source);
  must(await kith(first.dir, ['apps:create', APP, '--no-remote']));
  await push(source, first, APP);
  must(await kith(first.dir, ['ps:scale', 'web=3', 'worker=1', '-a', APP]));
  const kills: Kill[] = [];
  while (kills.length < count) {
    const victim = await chooseVictim(cluster);
    const kill = await killOne(cluster, victim);
    kills.push(kill);
    process.stdout.write(
      `  ${victim.name} with ${kill.lostDynos} dynos: ${Math.round(kill.ms)} ms, ` +
        `${kill.failed} of ${kill.asked} requests failed\n`,
    );
    await cluster.restart(victim);
  }
  return kills;
}

/** A random one of the peers that run something, once nothing moves any more. */
async function chooseVictim(cluster: BenchCluster): Promise<AgentProcess> {
  let last = '';
  let since = performance.now();
  let holders: string[] = [];
  await waitFor('the formation to be calm', TAKEOVER_MS, 100, async () => {
    const seen = await Promise.all(cluster.agents.map(listDynos));
    const pictures = new Set(seen.map((dynos) => JSON.stringify(dynos.map(({ id }) => id).toSorted())));
    const isWhole = seen.every(
      (dynos) => dynos.length === DYNOS && dynos.every(({ state }) => state === 'up'),
    );
    const picture = [...pictures].join();
    if (pictures.size > 1 || !isWhole || picture !== last) since = performance.now();
    last = picture;
    holders = [...new Set(seen[0]?.map(({ peer }) => peer.id))];
    const peers = await Promise.all(cluster.agents.map(countAlive));
    return peers.every((alive) => alive === cluster.agents.length) && performance.now() - since >= CALM_MS;
  });
  const candidates = cluster.agents.filter(({ ready }) => holders.includes(ready.peer));
  const victim = candidates[Math.floor(Math.random() * candidates.length)];
  if (victim === undefined) throw new Error('No peer runs a dyno');
  return victim;
}

async function killOne(cluster: BenchCluster, victim: AgentProcess): Promise<Kill> {
  const left = cluster.agents.filter((agent) => agent !== victim);
  const lostDynos = (await listDynos(victim)).filter(({ peer }) => peer.id === victim.ready.peer).length;
  const load = startLoad(left);
  await sleep(300);
  const began = performance.now();
  const gone = victim.killHost();
  await Promise.all(left.map((agent) => fullFormation(agent, victim)));
  const ms = performance.now() - began;
  await sleep(500);
  const { asked, failed } = await load.stop();
  await gone;
  await victim.exited();
  return { ms, lostDynos, asked, failed };
}

/** As this peer sees it: every dyno up, none of them on the lost peer; and the app answers through it. */
async function fullFormation(agent: AgentProcess, lost: AgentProcess): Promise<void> {
  await waitFor('the formation to be met again', TAKEOVER_MS, LOOK_MS, async () => {
    const dynos = await listDynos(agent);
    return dynos.filter(({ state, peer }) => state === 'up' && peer.id !== lost.ready.peer).length === DYNOS;
  });
  await waitFor('the app to answer', TAKEOVER_MS, LOOK_MS, async () => {
    return (await appRequest(agent.ready.http, APP)).status === 200;
  });
}

/** One client after another asks each of `peers` for the app, all the time. */
function startLoad(peers: readonly AgentProcess[]): {
  stop(): Promise<{ asked: number; failed: number }>;
} {
  const counts = { asked: 0, failed: 0 };
  const over = new AbortController();
  const clients = peers.map(async ({ ready }) => {
    while (!over.signal.aborted) {
      const { status } = await appRequest(ready.http, APP);
      counts.asked += 1;
      if (status !== 200) counts.failed += 1;
      await sleep(BETWEEN_REQUESTS_MS);
    }
  });
  return {
    async stop() {
      over.abort();
      await Promise.all(clients);
      return counts;
    },
  };
}

async function listDynos(agent: AgentProcess): Promise<readonly Dyno[]> {
  return (await askApi(agent, 'GET', `/apps/${APP}/dynos`)) as readonly Dyno[];
}

async function countAlive(agent: AgentProcess): Promise<number> {
  const peers = (await askApi(agent, 'GET', '/kith/peers')) as readonly { readonly state: string }[];
  return peers.filter(({ state }) => state === 'alive').length;
}

function report(runs: readonly Run[]): Finding {
  const rows = runs.map(({ runtime, kills }) => ({
    runtime,
    ms: summarize(kills.map((kill) => kill.ms)),
    failed: kills.reduce((sum, kill) => sum + kill.failed, 0),
    asked: kills.reduce((sum, kill) => sum + kill.asked, 0),
  }));
  return {
    body: [
      '| Dynos | Kills | Min | Median | p95 | Worst | Failed requests |',
      '| --- | --- | --- | --- | --- | --- | --- |',
      ...rows.map(
        ({ runtime, ms, failed, asked }) =>
          `| ${runtime} | ${ms.count} | ${digits(ms.min)} ms | ${digits(ms.median)} ms | ${digits(ms.p95)} ms | ` +
          `${digits(ms.max)} ms | ${failed} of ${asked} |`,
      ),
    ].join('\n'),
    aims: rows.flatMap(({ runtime, ms, failed }) => [
      { aim: `${runtime}: median below 2 s`, found: `${digits(ms.median)} ms`, isMet: ms.median < 2_000 },
      { aim: `${runtime}: worst below 5 s`, found: `${digits(ms.max)} ms`, isMet: ms.max < 5_000 },
      { aim: `${runtime}: no failed request`, found: String(failed), isMet: failed === 0 },
    ]),
  };
}
