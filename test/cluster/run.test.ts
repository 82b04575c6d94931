import { join } from 'node:path';
import { expect, test } from 'vitest';
import { must } from '../../scripts/lib/kith.ts';
import { eventually } from '../helpers/eventually.ts';
import { formationMet } from './apps.ts';
import { useCluster, WAIT_MS } from './cluster.ts';
import { Repo } from './repo.ts';
import { hearsCtrlC, hearsOfSize, openCli } from './cli-terminal.ts';

const TEST_MS = 480_000;
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
      using terminal = openCli(peer, ['run', '-a', APP, 'bash', '--norc']);
      await hearsOfSize(terminal);
      terminal.type('[ -t 0 ] && [ -t 1 ] && echo a $((1+1)) terminal\r');
      await terminal.shows(/a 2 terminal/);
      await hearsCtrlC(terminal);
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

test(
  'run:detached --tail shows the log until the end; size, type and variables are what was asked for',
  { timeout: TEST_MS },
  async () => {
    const words = [
      'run:detached',
      '--tail',
      '-s',
      'standard-2x',
      '--type',
      'job',
      '--env',
      'A=1;B=2',
      '-a',
      APP,
    ];
    const script = 'echo "${DYNO%.*} $A$B"; ulimit -u; sleep 1; exit 9';
    const { status, stdout } = await ash.tryKith([...words, '--', 'bash', '-c', script]);
    expect(status).toBe(9);
    expect(stdout).toMatch(/app\[job\.\d+\]: job 12\n/);
    expect(stdout).toContain(': Process exited with status 9\n');
  },
);

test('a one-off ends when its time to live is over', { timeout: TEST_MS }, async () => {
  const words = ['run:detached', '--tail', '--time-to-live', '2', '-a', APP, '--', 'sleep', '1000'];
  const { status, stdout } = await cedar.tryKith(words);
  expect(status).toBe(143);
  expect(stdout).toContain('Its time to live is over');
});

test('a size that no peer has room for is refused with what each has', { timeout: TEST_MS }, async () => {
  const refused = await birch.tryKith(['run', '-s', 'Performance-2XL', '-a', APP, 'true']);
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain(
    'Cannot run a Performance-2XL dyno (129024 MiB): no peer can take it: "ash" has ',
  );
});

test('a one-off is seen in ps at every peer and stopped from any', { timeout: TEST_MS }, async () => {
  await ash.kith(['run:detached', '-a', APP, '--', 'sleep', '1000']);
  const [dyno] = await formationMet(birch, APP, 1);
  await formationMet(cedar, APP, 1);
  expect(await cedar.kith(['ps', '-a', APP])).toContain(`${dyno?.name}: up`);
  await cedar.kith(['ps:stop', dyno?.name ?? '', '-a', APP]);
  for (const peer of cluster.peers) await formationMet(peer, APP, 0);
});

test('a terminal that goes away takes its command with it', { timeout: TEST_MS }, async () => {
  {
    using terminal = openCli(birch, ['run', '-a', APP, 'sleep', '1000']);
    await terminal.shows(/up, run\.\d+/);
    await formationMet(cedar, APP, 1);
  }
  await formationMet(cedar, APP, 0);
});

test(
  'a request that is repeated at another peer runs its command once, also when that is over',
  { timeout: TEST_MS },
  async () => {
    const ask = async (peer: typeof ash, path: string, body: object) => {
      const headers = {
        authorization: `Bearer ${ash.token}`,
        'content-type': 'application/json',
        'request-id': 'once-and-no-more',
      };
      const response = await fetch(`${peer.api}${path}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      const { id, name, message } = (await response.json()) as Record<string, string>;
      return { status: response.status, id, name, message };
    };
    const path = `/apps/${APP}/dynos`;
    const sleeping = { command: 'sleep 1000' };
    const made = await ask(ash, path, sleeping);
    expect(made.status).toBe(201);
    for (const peer of [birch, cedar]) {
      await formationMet(peer, APP, 1);
      expect(await ask(peer, path, sleeping)).toEqual(made);
    }
    await birch.kith(['ps:stop', made.name ?? '', '-a', APP]);
    for (const peer of cluster.peers) await formationMet(peer, APP, 0);
    expect(await ask(cedar, path, sleeping)).toEqual(made);
    await formationMet(ash, APP, 0);

    // A token's text is told once: whoever asks again is told what to do.
    const token = await ask(ash, '/oauth/authorizations', { description: 'x' });
    const known = `${birch.api}/oauth/authorizations/${token.id}`;
    const headers = { authorization: `Bearer ${ash.token}` };
    await eventually(async () => (await fetch(known, { headers })).ok, { withinMs: WAIT_MS });
    const again = await ask(birch, '/oauth/authorizations', { description: 'x' });
    expect(again).toMatchObject({ status: 409, message: expect.stringContaining(token.id ?? '?') as string });
  },
);
