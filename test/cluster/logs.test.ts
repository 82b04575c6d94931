import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { ROOT } from '../../scripts/lib/agent-process.ts';
import { must } from '../../scripts/lib/kith.ts';
import { eventually } from '../helpers/eventually.ts';
import { formationMet, spreadOut } from './apps.ts';
import { useCluster, WAIT_MS } from './cluster.ts';
import type { Peer } from './peer.ts';
import { Repo } from './repo.ts';

const TEST_MS = 480_000;
const APP = 'echo';
const LINE = /^(\S+) (app|heroku)\[([^\]]+)\]: (.*)$/;
const cluster = useCluster(3);
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');
const cedar = cluster.peer('cedar');

test(
  'logs at any peer hold the lines of every dyno on every peer, in time order',
  { timeout: TEST_MS },
  async () => {
    const repo = await Repo.create(join(cluster.dir, 'source'), {}, join(ROOT, 'test', 'fixtures', 'echo'));
    await ash.kith(['apps:create', APP, '--no-remote']);
    must(await repo.push(ash, APP));
    await spreadOut(birch, APP, { worker: 3 }, 3);
    const dynos = await formationMet(cedar, APP, 4);
    expect(new Set(dynos.map(({ peer }) => peer.name)).size).toBe(3);
    await ash.request(APP);
    for (const peer of cluster.peers) {
      const lines = await eventually(
        async () => {
          const read = await readLogs(peer, '-n', '1500');
          const processes = new Set(read.map(({ process }) => process));
          for (const name of ['web.1', 'worker.1', 'worker.2', 'worker.3', 'api', 'router'])
            if (!processes.has(name)) throw new Error(`no line of "${name}" yet`);
          const texts = read.map(({ process, text }) => `${process}: ${text}`);
          for (const text of [
            'api: Build succeeded',
            'api: Release v3 created by user admin@ash',
            'web.1: listening as web.1',
            'worker.3: worker.3 line 1',
          ])
            expect(texts).toContain(text);
          return read;
        },
        { withinMs: WAIT_MS },
      );
      const times = lines.map(({ at }) => at);
      expect(times).toEqual(times.toSorted());
    }
  },
);

test('-n limits them, and --source and --dyno pick some', { timeout: TEST_MS }, async () => {
  expect(await readLogs(birch, '-n', '5')).toHaveLength(5);
  const heroku = await readLogs(cedar, '-n', '50', '--source', 'heroku');
  expect(new Set(heroku.map(({ source }) => source))).toEqual(new Set(['heroku']));
  const one = await eventually(
    async () => {
      const read = await readLogs(ash, '-n', '20', '--dyno', 'worker.2', '--source', 'app');
      return read.length === 20 ? read : null;
    },
    { withinMs: WAIT_MS },
  );
  expect(new Set(one.map(({ process }) => process))).toEqual(new Set(['worker.2']));
  // A peer that does not answer in time is left out.
  await eventually(
    async () => {
      const type = await readLogs(ash, '-n', '100', '--dyno', 'worker');
      const found = new Set(type.map(({ process }) => process));
      expect(found).toEqual(new Set(['worker.1', 'worker.2', 'worker.3']));
      return true;
    },
    { withinMs: WAIT_MS },
  );
  const refused = await ash.tryKith(['logs', '--source', 'nowhere', '-a', APP]);
  expect(refused.status).not.toBe(0);
  expect(refused.stderr).toContain('"app" or "heroku"');
});

test(
  'a tail follows all peers, goes on without one that dies, and misses and repeats no line of the others',
  { timeout: TEST_MS },
  async () => {
    using tail = follow(birch);
    await tail.seen(['worker.1', 'worker.2', 'worker.3']);
    await cluster.allAlive();
    const dynos = await formationMet(birch, APP, 4);
    const lost = dynos.filter(({ peer }) => peer.name === 'cedar').map(({ name }) => name);
    const staying = dynos
      .filter(({ name, type }) => type === 'worker' && !lost.includes(name))
      .map(({ name }) => name);
    expect(staying.length).toBeGreaterThan(0);
    cedar.kill();
    await formationMet(birch, APP, 4, (now) => now.every(({ peer }) => peer.name !== 'cedar'));
    tail.forget();
    await tail.seen(['worker.1', 'worker.2', 'worker.3']);
    for (const name of staying) {
      const numbers = tail.lines
        .filter(({ process, source }) => process === name && source === 'app')
        .map(({ text }) => Number(/ line (\d+)$/.exec(text)?.[1]));
      expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
    }
  },
);

type Line = { readonly at: string; readonly source: string; readonly process: string; readonly text: string };

function parseLine(text: string): Line | null {
  const [, at, source, process, rest] = LINE.exec(text) ?? [];
  if (at === undefined || source === undefined || process === undefined || rest === undefined) return null;
  return { at, source, process, text: rest };
}

async function readLogs(peer: Peer, ...args: readonly string[]): Promise<readonly Line[]> {
  const text = await peer.kith(['logs', ...args, '-a', APP]);
  return text.split('\n').flatMap((line) => parseLine(line) ?? []);
}

/** `kith logs --tail` as somebody leaves it running. */
function follow(peer: Peer) {
  const child = spawn(join(ROOT, 'cli', 'kith'), ['logs', '--tail', '-n', '0', '-a', APP], {
    cwd: '/',
    env: { ...process.env, KITH_HOST: `unix:${join(peer.dir, 'kith.sock')}` },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const lines: Line[] = [];
  let forgotten = 0;
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = parseLine(text);
    if (line !== null) lines.push(line);
  });
  return {
    lines,
    forget: () => {
      forgotten = lines.length;
    },
    /** Waits for a line of each of these dynos, since `forget`. */
    seen: (names: readonly string[]) =>
      eventually(
        () =>
          names.every((name) =>
            lines.slice(forgotten).some(({ process, source }) => process === name && source === 'app'),
          ),
        { withinMs: WAIT_MS },
      ),
    ended: () => once(child, 'exit'),
    [Symbol.dispose]: () => {
      child.kill('SIGKILL');
    },
  };
}
