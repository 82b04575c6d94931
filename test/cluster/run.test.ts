import { join } from 'node:path';
import { spawn as spawnPty } from '@lydell/node-pty';
import { expect, test } from 'vitest';
import { ROOT } from '../../scripts/lib/agent-process.ts';
import { must } from '../../scripts/lib/kith.ts';
import { eventually } from '../helpers/eventually.ts';
import { formationMet } from './apps.ts';
import { useCluster, WAIT_MS } from './cluster.ts';
import type { Peer } from './peer.ts';
import { Repo } from './repo.ts';

const TEST_MS = 120_000;
const APP = 'jobs';
const cluster = useCluster(3);
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');
const cedar = cluster.peer('cedar');

test(
  'a command runs with the app, its config and its input, through any peer, and its status is carried',
  { timeout: TEST_MS },
  async () => {
    const repo = await Repo.create(join(cluster.dir, 'source'), {
      Procfile: 'worker: sleep 1000\n',
      note: 'of the slug',
    });
    await ash.kith(['apps:create', APP, '--no-remote']);
    await ash.kith(['config:set', 'GREETING=hi there', '-a', APP]);
    must(await repo.push(ash, APP));
    for (const peer of cluster.peers) {
      const ran = await peer.tryKith(
        [
          'run',
          '-a',
          APP,
          '--',
          'bash',
          '-c',
          'cat note; cat; echo "; $GREETING; ${DYNO%.*}"; echo oops >&2; exit 7',
        ],
        { input: ' and of the input' },
      );
      expect(ran.status).toBe(7);
      expect(ran.stdout).toContain('of the slug and of the input; hi there; run\n');
      expect(`${ran.stdout}${ran.stderr}`).toContain('oops');
    }
    expect((await birch.tryKith(['run', '-a', APP, 'no-such-command'])).status).toBe(127);
    await formationMet(birch, APP, 0);
  },
);

test('a large input and a large output come through whole', { timeout: TEST_MS }, async () => {
  const input = 'all of these lines\n'.repeat(100_000);
  const { status, stdout } = await cedar.tryKith(['run', '-a', APP, '--', 'cat'], { input });
  expect(status).toBe(0);
  expect(stdout.length).toBe(input.length);
  expect(stdout === input).toBe(true);
});

test(
  'a terminal is carried: its size and changes of it, keys, Ctrl-C, and the status',
  { timeout: TEST_MS },
  async () => {
    for (const peer of [ash, cedar]) {
      using terminal = openTerminal(peer, ['run', '-a', APP, 'bash', '--norc']);
      terminal.type('stty size\r');
      await terminal.shows(/\b30 100\b/);
      terminal.pty.resize(120, 40);
      await eventually(
        () => {
          terminal.type('stty size\r');
          return terminal.text().includes('40 120');
        },
        { withinMs: WAIT_MS, everyMs: 500 },
      );
      terminal.type('[ -t 0 ] && [ -t 1 ] && echo a $((1+1)) terminal\r');
      await terminal.shows(/a 2 terminal/);
      terminal.type('sleep 1000; echo after $?\r');
      await terminal.shows(/sleep 1000; echo after \$\?\r*\n/);
      await eventually(
        () => {
          terminal.type('\u0003');
          terminal.type('echo back $((20+1))\r');
          return terminal.text().includes('back 21');
        },
        { withinMs: WAIT_MS, everyMs: 1_000 },
      );
      terminal.type('exit 3\r');
      expect(await terminal.ended).toBe(3);
    }
  },
);

test('run:detached leaves its output in the logs', { timeout: TEST_MS }, async () => {
  const started = await birch.tryKith(['run:detached', '-a', APP, '--', 'echo', 'done', 'by myself']);
  const name = /run\.\d+/.exec(`${started.stdout}${started.stderr}`)?.[0] ?? 'no name';
  await eventually(
    async () => {
      const lines = await cedar.kith(['logs', '-n', '100', '--dyno', name, '-a', APP]);
      return lines.includes(`app[${name}]: done by myself`) && lines.includes('Process exited with status 0');
    },
    { withinMs: WAIT_MS },
  );
});

test('a one-off is seen in ps at every peer and stopped from any', { timeout: TEST_MS }, async () => {
  await ash.kith(['run:detached', '-a', APP, '--', 'sleep', '1000']);
  const [dyno] = await formationMet(birch, APP, 1);
  expect(await cedar.kith(['ps', '-a', APP])).toContain(`${dyno?.name}: up`);
  await cedar.kith(['ps:stop', dyno?.name ?? '', '-a', APP]);
  for (const peer of cluster.peers) await formationMet(peer, APP, 0);
});

test('a terminal that goes away takes its command with it', { timeout: TEST_MS }, async () => {
  {
    using terminal = openTerminal(birch, ['run', '-a', APP, 'sleep', '1000']);
    await terminal.shows(/up, run\.\d+/);
    await formationMet(cedar, APP, 1);
  }
  await formationMet(cedar, APP, 0);
});

/** The CLI in a terminal of 100 x 30. */
function openTerminal(peer: Peer, args: readonly string[]) {
  const pty = spawnPty(join(ROOT, 'cli', 'kith'), [...args], {
    cols: 100,
    rows: 30,
    cwd: '/',
    env: { ...process.env, KITH_HOST: `unix:${join(peer.dir, 'kith.sock')}`, TERM: 'xterm', NO_COLOR: '1' },
  });
  let text = '';
  pty.onData((data) => {
    text += data;
  });
  const ended = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
  return {
    pty,
    ended,
    [Symbol.dispose]: () => pty.kill('SIGKILL'),
    text: () => text,
    type: (keys: string) => pty.write(keys),
    shows: (what: RegExp) =>
      eventually(
        () => {
          if (what.test(text)) return true;
          throw new Error(`the terminal shows ${JSON.stringify(text.slice(-500))}`);
        },
        { withinMs: WAIT_MS },
      ),
  };
}
