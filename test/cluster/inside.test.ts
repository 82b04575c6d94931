import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { must } from '../../scripts/lib/kith.ts';
import { eventually } from '../helpers/eventually.ts';
import { formationMet } from './apps.ts';
import { useCluster, WAIT_MS } from './cluster.ts';
import { Repo } from './repo.ts';
import { hearsCtrlC, hearsOfSize, openCli } from './cli-terminal.ts';

const TEST_MS = 480_000;
const APP = 'clocks';
const cluster = useCluster(3);
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');
const cedar = cluster.peer('cedar');
const INSIDE = ['ps:exec', '-a', APP, '--dyno', 'worker.1'] as const;

test('a command runs inside a running dyno, through any peer', { timeout: TEST_MS }, async () => {
  const repo = await Repo.create(join(cluster.dir, 'source'), {
    Procfile:
      'worker: echo born $DYNO > mark; mkdir -p log; ln -s ../mark log/link; echo ready; exec sleep 1000\n',
  });
  await ash.kith(['apps:create', APP, '--no-remote']);
  await ash.kith(['config:set', 'GREETING=hi there', '-a', APP]);
  must(await repo.push(ash, APP));
  await ash.kith(['ps:scale', 'worker=1', '-a', APP]);
  for (const peer of cluster.peers) await formationMet(peer, APP, 1);
  // A worker is up when it was started, which is before its first command.
  await eventually(
    async () => (await ash.kith(['logs', '-n', '50', '-a', APP])).includes('worker.1]: ready'),
    {
      withinMs: WAIT_MS,
    },
  );
  for (const peer of cluster.peers) {
    const script = 'cat mark -; echo "; $GREETING; $A; $PWD = $HOME"; pgrep -c sleep; exit 7';
    const words = [...INSIDE, '-e', 'A=1', '--', 'bash', '-c', script];
    const ran = await peer.tryKith(words, { input: 'and of the input' });
    expect(ran.stderr).toContain('up, worker.1');
    expect(ran.stdout).toMatch(/^born worker\.1\nand of the input; hi there; 1; (\S+) = \1\n/);
    expect(ran.status).toBe(7);
  }
  await eventually(
    async () => {
      const lines = await cedar.kith(['logs', '-n', '200', '-a', APP, '--dyno', 'worker.1']);
      expect(lines).not.toContain('pgrep');
      const told = lines.match(/heroku\[worker\.1\]: Running a command inside, by user \S+/g) ?? [];
      expect(told).toHaveLength(cluster.peers.length);
      return true;
    },
    { withinMs: WAIT_MS },
  );
});

test('it gets a terminal: size and changes of it, Ctrl-C, and the status', { timeout: TEST_MS }, async () => {
  for (const peer of cluster.peers) {
    using terminal = openCli(peer, [...INSIDE, 'bash', '--norc']);
    await hearsOfSize(terminal);
    await hearsCtrlC(terminal);
    terminal.type('exit 3\r');
    expect(await terminal.ended).toBe(3);
  }
});

test('files and folders are copied out, through any peer', { timeout: TEST_MS }, async () => {
  await ash.kith([
    ...INSIDE,
    '--',
    'bash',
    '-c',
    'head -c 5000000 /dev/zero > log/zeros; echo a > "log/a b"',
  ]);
  for (const peer of cluster.peers) {
    const copy = join(cluster.dir, `copy-${peer.name}`);
    await peer.kith(['ps:copy', 'mark', '-a', APP, '-d', 'worker.1', '-o', `${copy}.mark`]);
    expect(readFileSync(`${copy}.mark`, 'utf8')).toBe('born worker.1\n');
    const folder = await peer.tryKith(['ps:copy', '/app/log', '-a', APP, '-d', 'worker.1', '-o', copy]);
    expect(folder).toMatchObject({ status: 0 });
    expect(readFileSync(join(copy, 'zeros')).equals(Buffer.alloc(5_000_000))).toBe(true);
    expect(readFileSync(join(copy, 'a b'), 'utf8')).toBe('a\n');
    // It led to a file beside the folder, which did not come along.
    expect(folder.stderr).toContain('Left out the link "log/link"');
    expect(existsSync(join(copy, 'link'))).toBe(false);
    const missing = await peer.tryKith([
      'ps:copy',
      'nothing',
      '-a',
      APP,
      '-d',
      'worker.1',
      '-o',
      `${copy}.no`,
    ]);
    expect(missing.stderr).toContain('Cannot copy "nothing" out of "worker.1": there is no such file');
    expect(existsSync(`${copy}.no`)).toBe(false);
  }
  const home = join(cluster.dir, 'copy-home');
  await birch.kith(['ps:copy', '/app', '-a', APP, '-d', 'worker.1', '-o', home]);
  expect(readlinkSync(join(home, 'log/link'))).toBe('../mark');
});

test('a dyno that is not there is told as that', { timeout: TEST_MS }, async () => {
  for (const words of [
    ['ps:exec', 'ls'],
    ['ps:copy', 'mark'],
  ]) {
    const refused = await cedar.tryKith([...words, '-a', APP]);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('Couldn\'t find the dyno "web.1"');
  }
});

test(
  'a client that goes away takes its command with it, the dyno goes on',
  { timeout: TEST_MS },
  async () => {
    const count = async (): Promise<number> =>
      Number((await ash.tryKith([...INSIDE, '--', 'bash', '-c', 'pgrep -fc "[s]leep 4321" || true'])).stdout);
    for (const peer of cluster.peers) {
      {
        using terminal = openCli(peer, [...INSIDE, 'sleep 4321']);
        await terminal.shows(/up, worker\.1/);
        await eventually(async () => (await count()) === 1, { withinMs: WAIT_MS });
      }
      await eventually(async () => (await count()) === 0, { withinMs: WAIT_MS });
    }
    await formationMet(birch, APP, 1);
  },
);

test('a dyno that restarts in the middle ends what runs inside it', { timeout: TEST_MS }, async () => {
  const [before] = await formationMet(ash, APP, 1);
  for (const peer of cluster.peers) await formationMet(peer, APP, 1, ([seen]) => seen?.id === before?.id);
  const running = cluster.peers.map(async (peer) => {
    const asked = peer.tryKith([...INSIDE, '--', 'bash', '-c', 'echo in; exec sleep 1000']);
    return asked;
  });
  await eventually(
    async () => {
      const lines = await ash.kith(['ps:exec', '-a', APP, '-d', 'worker.1', 'pgrep -c sleep || true']);
      return Number(lines) >= 4;
    },
    { withinMs: WAIT_MS, everyMs: 300 },
  );
  await birch.kith(['ps:restart', '-a', APP]);
  for (const { status } of await Promise.all(running)) expect(status).not.toBe(0);
  await formationMet(cedar, APP, 1, ([dyno]) => dyno?.id !== before?.id);
});

test('a peer that dies ends what runs inside its dynos with an error', { timeout: TEST_MS }, async () => {
  const [dyno] = await formationMet(ash, APP, 1);
  const holder = cluster.peers.find(({ name }) => name === dyno?.peer.name) ?? ash;
  const other = cluster.peers.find(({ name }) => name !== dyno?.peer.name) ?? birch;
  await formationMet(other, APP, 1, ([seen]) => seen?.id === dyno?.id);
  using terminal = openCli(other, [...INSIDE, 'echo in here; sleep 1000']);
  await terminal.shows(/in here\r*\n/);
  holder.kill();
  expect(await terminal.ended).not.toBe(0);
  await terminal.shows(/connection to the dyno was lost|was lost/);
});
