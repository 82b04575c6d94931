import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { connectEngine } from '../../agent/lib/engine.ts';
import { inEngine, removeFromEngine } from '../../scripts/lib/host-containers.ts';
import { must } from '../../scripts/lib/kith.ts';
import type { DynoResource } from '../../src/platform/dyno.ts';
import { answers, formationMet, keepAsking, spreadOut } from '../cluster/apps.ts';
import { useCluster, WAIT_MS } from '../cluster/cluster.ts';
import type { Peer } from '../cluster/peer.ts';
import { Repo } from '../cluster/repo.ts';
import { eventually } from '../helpers/eventually.ts';

const TEST_MS = 400_000;
/** A hundred megabytes of Node.js become a layer of an image: on a busy disk that takes its time. */
const IMAGE_MS = 120_000;
const APP = 'boxed';
const DYNOS = 4;
const cluster = useCluster(3, { KITH_RUNTIME: 'docker' });
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');
const cedar = cluster.peer('cedar');

/** Its buildpack puts Node.js into a layer of its own. */
const FILES = {
  Procfile: 'web: node web.js\nworker: node worker.js\n',
  'package.json': JSON.stringify({ name: APP, version: '1.0.0', private: true, engines: { node: '24.x' } }),
  'web.js': `const server = require('http').createServer((request, response) => {
  response.end(['one', process.env.DYNO, process.env.GREETING || '-'].join(' '));
});
process.on('SIGTERM', () => process.exit(0));
server.listen(process.env.PORT);
`,
  'worker.js': `let line = 0;
const run = require('crypto').randomUUID();
require('fs').writeFileSync('mark', 'of ' + process.env.DYNO);
process.on('SIGTERM', () => process.exit(0));
setInterval(() => console.log('run ' + run + ' line ' + (line += 1)), 200);
`,
};

// Before the folder of the cluster goes, by which its things in the Engine are known.
afterAll(async () => {
  cluster.killAll();
  const engine = await connectEngine();
  const nothing = { containers: [], images: [], halfMade: [] };
  // What an agent had asked for just before it was killed, the Engine makes to the end.
  await eventually(
    async () => {
      for (const { dir } of cluster.peers) await removeFromEngine(dir);
      for (const { dir } of cluster.peers) expect(await inEngine(engine, dir)).toEqual(nothing);
      return true;
    },
    { withinMs: WAIT_MS, everyMs: 1_000 },
  );
}, TEST_MS);

function peerOf(dynos: readonly DynoResource[], name: string): Peer {
  const id = dynos.find((dyno) => dyno.name === name)?.peer.id;
  const found = cluster.peers.find((peer) => peer.id === id);
  if (found === undefined) throw new Error(`"${name}" runs nowhere`);
  return found;
}

/** The numbers of the lines that the latest worker has logged, as a peer tells them. */
async function workerLines(peer: Peer): Promise<readonly number[]> {
  const text = await peer.kith(['logs', '-n', '1500', '--dyno', 'worker.1', '--source', 'app', '-a', APP]);
  const lines = [...text.matchAll(/ run (\S+) line (\d+)$/gm)];
  return lines.filter(([, run]) => run === lines.at(-1)?.[1]).map(([, , number]) => Number(number));
}

test(
  'an app with a layer is pushed, runs in containers on all peers, and answers through each',
  { timeout: TEST_MS },
  async () => {
    for (const peer of cluster.peers) expect(peer.agent.ready.runtime).toBe('docker');
    const repo = await Repo.create(join(cluster.dir, 'source'), FILES);
    await ash.kith(['apps:create', APP, '--no-remote']);
    must(await repo.push(ash, APP));
    // The Engine of all three makes the image only once when they do not begin at the same moment.
    await formationMet(birch, APP, 1, () => true, IMAGE_MS);
    await birch.kith(['ps:scale', 'web=3', 'worker=1', '-a', APP]);
    await formationMet(cedar, APP, DYNOS, () => true, IMAGE_MS);
    const webs = await spreadOut(birch, APP, { web: 3 }, 3);
    expect(new Set(webs.map(({ peer }) => peer.id)).size).toBe(3);
    for (const peer of cluster.peers) await answers(peer, APP, /^one web\.[123] -$/);
  },
);

test('a one-off carries its input and its status, through any peer', { timeout: TEST_MS }, async () => {
  for (const [index, peer] of cluster.peers.entries()) {
    const script = `cat; echo " in \${DYNO%.*}, node $(node -p process.version)"; exit ${index + 3}`;
    const ran = await peer.tryKith(['run', '-a', APP, '--', 'bash', '-c', script], { input: 'input' });
    expect(ran.stdout).toMatch(/^input in run, node v24\./m);
    expect(ran.status).toBe(index + 3);
  }
});

test(
  'a command runs inside a dyno, and its files are copied out, through any peer',
  { timeout: TEST_MS },
  async () => {
    for (const peer of cluster.peers) {
      const ran = await peer.tryKith([
        'ps:exec',
        '-a',
        APP,
        '-d',
        'worker.1',
        '--',
        'bash',
        '-c',
        'cat mark; exit 5',
      ]);
      expect(ran.stdout).toContain('of worker.1');
      expect(ran.status).toBe(5);
      const copy = join(cluster.dir, `mark-${peer.name}`);
      await peer.kith(['ps:copy', 'mark', '-a', APP, '-d', 'worker.1', '-o', copy]);
      expect(readFileSync(copy, 'utf8')).toBe('of worker.1');
    }
  },
);

test('config vars change without a failed request', { timeout: TEST_MS }, async () => {
  const asking = cluster.peers.map((peer) => keepAsking(peer, APP));
  await cedar.kith(['config:set', 'GREETING=hi', '-a', APP]);
  for (const peer of cluster.peers) {
    const isNew = async (): Promise<boolean> => (await peer.request(APP)).body.endsWith(' hi');
    for (let turn = 0; turn < 3; turn += 1) await eventually(isNew, { withinMs: WAIT_MS, everyMs: 200 });
  }
  await formationMet(birch, APP, DYNOS);
  for (const each of asking) expect(await each.stop()).toEqual([]);
});

test(
  'an agent that is killed and starts again adopts its dynos, with no request failed and no line lost',
  { timeout: TEST_MS },
  async () => {
    const before = await formationMet(ash, APP, DYNOS);
    const struck = peerOf(before, 'worker.1');
    const owned = before.filter(({ peer }) => peer.id === struck.id).map(({ id }) => id);
    const asking = cluster.peers.map((peer) => keepAsking(peer, APP));
    struck.agent.signalAgent('SIGKILL');
    await struck.agent.exited();
    expect((await struck.request(APP)).status).toBe(200);
    await struck.start();
    await cluster.allAlive();
    const after = await formationMet(struck, APP, DYNOS);
    expect(after.map(({ id }) => id)).toEqual(expect.arrayContaining(owned));
    const last = (await workerLines(struck)).at(-1) ?? 0;
    const numbers = await eventually(
      async () => {
        const found = await workerLines(struck);
        return (found.at(-1) ?? 0) > last ? found : null;
      },
      { withinMs: WAIT_MS },
    );
    // What came just before the end of an agent may be told twice.
    const once = [...new Set(numbers)];
    expect(once).toEqual(once.map((_, index) => index + 1));
    for (const each of asking) expect(await each.stop()).toEqual([]);
  },
);

test(
  'a host that dies with its containers: the formation is met elsewhere, requests go on',
  { timeout: TEST_MS },
  async () => {
    const struck = peerOf(await formationMet(ash, APP, DYNOS), 'worker.1');
    const others = cluster.peers.filter((peer) => peer !== struck);
    const asking = others.map((peer) => keepAsking(peer, APP));
    await struck.killWithContainers();
    const isElsewhere = (dynos: readonly DynoResource[]): boolean =>
      dynos.every(({ peer }) => peer.id !== struck.id);
    for (const peer of others) await formationMet(peer, APP, DYNOS, isElsewhere);
    for (const each of asking) expect(await each.stop()).toEqual([]);
  },
);
