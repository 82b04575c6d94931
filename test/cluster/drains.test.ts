import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LogDrainResource } from '../../src/platform/log-drain.ts';
import { eventually } from '../helpers/eventually.ts';
import { deploy, formationMet } from './apps.ts';
import { WAIT_MS, useCluster } from './cluster.ts';
import { expectNoHoles, repeated, starts, writeCounter } from './counted-lines.ts';
import type { Peer } from './peer.ts';
import { startRsyslog, type Received } from './rsyslog.ts';

const TEST_MS = 480_000;
/** A second's worth of lines is 30, and may come twice: what was under way when a connection was ended, on a slow machine. */
const FEW = 120;
/** Whoever forgot how far a drain had got would send so many again. */
const ALL_OF_THEM = 300;
const APP = 'counter';
const cluster = useCluster(3);
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');
const cedar = cluster.peer('cedar');
let killed: Peer | null = null;
let rsyslog: Awaited<ReturnType<typeof startRsyslog>>;

beforeAll(async () => {
  rsyslog = await startRsyslog(join(cluster.dir, 'rsyslog'));
}, 300_000);
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
  const has = (dyno: string): boolean =>
    received().some(({ process, source }) => process === dyno && source === 'app');
  await eventually(() => dynos.every(has), { withinMs: WAIT_MS });
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
    await eventually(() => received().length > ALL_OF_THEM, { withinMs: 2 * WAIT_MS });
    const carrier = await carrierOf();
    const before = received().length;
    await carrier.kith(['peers:drain']);
    await eventually(async () => (await carrierOf()) !== carrier, { withinMs: WAIT_MS });
    await eventually(() => received().length > before + 100, { withinMs: WAIT_MS });
    expectNoHoles(received());
    expect(repeated(received())).toBeLessThan(FEW);
    await carrier.kith(['peers:drain', '--off']);
  },
);

test(
  'when the peer that carries a drain is stopped, another goes on: no line is lost, few come twice',
  { timeout: TEST_MS },
  async () => {
    const carrier = await carrierOf();
    const [before, repeatedBefore] = [received().length, repeated(received())];
    await carrier.stop();
    await eventually(() => received().length > before + 100, { withinMs: WAIT_MS });
    expectNoHoles(received());
    expect(repeated(received()) - repeatedBefore).toBeLessThan(FEW);
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
    await eventually(() => carriers().length === 1, { withinMs: WAIT_MS });
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
  // What was sent may not have been written down by the receiver yet; what is counted from now on must not come at all.
  const said = await lastCounted(carrier);
  const later = await eventually(
    async () => {
      const now = await lastCounted(carrier);
      return now === said ? null : now;
    },
    { withinMs: WAIT_MS },
  );
  await eventually(async () => (await lastCounted(carrier)) !== later, { withinMs: WAIT_MS });
  const [, start, number] = /^start (\d+) line (\d+)$/.exec(later) ?? [];
  const numbers = [...starts(received())].flatMap(([key, each]) => (key.endsWith(` ${start}`) ? each : []));
  expect(Math.max(...numbers)).toBeLessThan(Number(number));
});

/** What a dyno counted last, as the logs at this peer say. */
async function lastCounted(peer: Peer): Promise<string> {
  const lines = await peer.kith(['logs', '-n', '1', '--source', 'app', '--dyno', 'counter', '-a', APP]);
  const [found] = /start \d+ line \d+/.exec(lines) ?? [];
  if (found === undefined) throw new Error(`The logs say: ${lines}`);
  return found;
}

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
