import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LogDrainResource } from '../../src/platform/log-drain.ts';
import { eventually } from '../helpers/eventually.ts';
import { deploy, formationMet } from './apps.ts';
import { WAIT_MS, useCluster } from './cluster.ts';
import { expectNoHoles, repeated, writeCounter } from './counted-lines.ts';
import type { Peer } from './peer.ts';
import { startRsyslog, type Received } from './rsyslog.ts';

const TEST_MS = 240_000;
const APP = 'counter';
const cluster = useCluster(3);
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');
const cedar = cluster.peer('cedar');
let killed: Peer | null = null;
let rsyslog: Awaited<ReturnType<typeof startRsyslog>>;

beforeAll(async () => {
  rsyslog = await startRsyslog(join(cluster.dir, 'rsyslog'));
}, 60_000);
afterAll(async () => rsyslog?.[Symbol.asyncDispose]());

test('the lines of dynos on all peers reach a real rsyslog', { timeout: TEST_MS }, async () => {
  await deploy(ash, APP, writeCounter(join(cluster.dir, 'counter')));
  await birch.kith(['ps:scale', 'counter=3', '-a', APP]);
  await formationMet(birch, APP, 3);
  const drain = await birch.json<LogDrainResource>([
    'drains:add',
    `syslog://127.0.0.1:${rsyslog.port}`,
    '-a',
    APP,
  ]);
  const dynos = ['counter.1', 'counter.2', 'counter.3'];
  await eventually(() => dynos.every((dyno) => received().some(({ process }) => process === dyno)), {
    withinMs: WAIT_MS,
  });
  const line = received().find(
    ({ process, source }) => process === 'counter.2' && source === 'app',
  ) as Received;
  expect(line).toMatchObject({ version: '1', priority: 190, host: drain.token, source: 'app' });
  await cedar.kith(['maintenance:on', '-a', APP]);
  await eventually(() => received().some(({ process, text }) => process === 'api' && /enabled/.test(text)), {
    withinMs: WAIT_MS,
  });
});

test('any peer shows, and refuses, what was asked of another', { timeout: TEST_MS }, async () => {
  const [drain] = await cedar.json<readonly LogDrainResource[]>(['drains', '-a', APP]);
  expect(drain?.url).toBe(`syslog://127.0.0.1:${rsyslog.port}`);
  const again = await ash.tryKith(['drains:add', drain?.url ?? '', '-a', APP]);
  expect(again.status).not.toBe(0);
  expect(again.stderr).toContain('Url has already been taken');
});

test(
  'when the peer that carries a drain is drained, another goes on: no line is lost, few come twice',
  { timeout: TEST_MS },
  async () => {
    const carrier = await carrierOf();
    const before = received().length;
    await carrier.kith(['peers:drain']);
    await eventually(async () => (await carrierOf()) !== carrier, { withinMs: WAIT_MS });
    await eventually(() => received().length > before + 100, { withinMs: WAIT_MS });
    expectNoHoles(received());
    // What was under way when the connection was ended; a second's worth of lines would be 30.
    expect(repeated(received())).toBeLessThan(30);
    await carrier.kith(['peers:drain', '--off']);
  },
);

test(
  'when the peer that carries a drain is stopped, another goes on: no line is lost, few come twice',
  { timeout: TEST_MS },
  async () => {
    const carrier = await carrierOf();
    const before = received().length;
    await carrier.stop();
    await eventually(() => received().length > before + 100, { withinMs: WAIT_MS });
    expectNoHoles(received());
    expect(repeated(received())).toBeLessThan(60);
    await carrier.start();
    await cluster.allAlive();
  },
);

test(
  'when the peer that carries a drain is cut off and comes back, no line is lost, and one peer carries it',
  { timeout: TEST_MS },
  async () => {
    const carrier = await carrierOf();
    // It stands still while its connections stay: to the others it is gone, and it does not know.
    carrier.agent.signalAgent('SIGSTOP');
    try {
      await eventually(async () => (await carrierOf()) !== carrier, { withinMs: WAIT_MS });
      const before = received().length;
      await eventually(() => received().length > before + 100, { withinMs: WAIT_MS });
    } finally {
      carrier.agent.signalAgent('SIGCONT');
    }
    await cluster.allAlive();
    await formationMet(carrier, APP, 3);
    await eventually(() => carriers().length === 1, { withinMs: WAIT_MS });
    const before = received().length;
    await eventually(() => received().length > before + 100, { withinMs: WAIT_MS });
    expect(carriers()).toHaveLength(1);
    expectNoHoles(received());
  },
);

test(
  'when the peer that carries a drain is killed, another goes on: no line of the others is lost',
  { timeout: TEST_MS },
  async () => {
    const carrier = await carrierOf();
    const heir = other(carrier);
    carrier.kill();
    killed = carrier;
    await eventually(async () => (await carrierOf()) !== carrier, { withinMs: WAIT_MS });
    await formationMet(heir, APP, 3, (dynos) => dynos.every(({ peer }) => peer.id !== carrier.id));
    const before = received().length;
    await eventually(() => received().length > before + 100, { withinMs: WAIT_MS });
    expectNoHoles(received());
  },
);

test('a drain that was removed gets nothing more', { timeout: TEST_MS }, async () => {
  const carrier = await carrierOf();
  await other(carrier).kith(['drains:remove', `syslog://127.0.0.1:${rsyslog.port}`, '-a', APP]);
  await eventually(() => lastSaid(carrier)?.msg === 'drain left', { withinMs: WAIT_MS });
  const count = received().length;
  const lines = (await carrier.kith(['logs', '-n', '1', '-a', APP])).trim();
  await eventually(async () => (await carrier.kith(['logs', '-n', '1', '-a', APP])).trim() !== lines, {
    withinMs: WAIT_MS,
  });
  expect(received()).toHaveLength(count);
});

/** What this peer last logged about carrying a drain. */
function lastSaid(peer: Peer): { readonly time: number; readonly msg: string } | undefined {
  return peer
    .logTail(10_000)
    .split('\n')
    .filter((row) => /"msg":"drain (carried|left)"/.test(row))
    .map((row) => JSON.parse(row) as { time: number; msg: string })
    .at(-1);
}

/** The peers that took the drain and have not left it. */
function carriers(): readonly Peer[] {
  return cluster.peers.filter((peer) => lastSaid(peer)?.msg === 'drain carried');
}

/** The peer that took the drain last. */
function carrierOf(): Promise<Peer> {
  return eventually(
    () =>
      cluster.peers
        .map((peer) => ({ peer, said: lastSaid(peer) }))
        .filter(({ said }) => said?.msg === 'drain carried')
        .toSorted((a, b) => (b.said?.time ?? 0) - (a.said?.time ?? 0))[0]?.peer,
    { withinMs: WAIT_MS },
  );
}

function other(peer: Peer): Peer {
  return cluster.peers.find((each) => each !== peer && each !== killed) as Peer;
}

function received(): readonly Received[] {
  return rsyslog.received();
}
