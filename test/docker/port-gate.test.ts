import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { guardBridge } from '../../agent/runtimes/docker/firewall.ts';
import { runHostScript } from '../../agent/runtimes/docker/host-script.ts';
import { ensureNetwork, type DynoNetwork } from '../../agent/runtimes/docker/network.ts';
import { PortGateRepair } from '../../agent/runtimes/docker/port-gate-repair.ts';
import { PortGate } from '../../agent/runtimes/docker/port-gate.ts';
import { connectEngine, type Engine } from '../../agent/lib/engine.ts';
import { Tasks } from '../../agent/lib/tasks.ts';
import { rawDyno } from '../router/helpers/dynos.ts';
import { ask, listenAt, portTable, routePort } from '../router/helpers/ports.ts';
import { startRouter, target } from '../router/helpers/test-router.ts';

const run = promisify(execFile);
const NAME = `kith-gate-${process.pid}`;
const IMAGE = 'kith/stack:bookworm';
/** Two peers of this test's own: others of the host have chains of theirs. */
const [ONE, TWO] = [`one${process.pid}`, `two${process.pid}`] as const;

let engine: Engine;
let network: DynoNetwork;
let gates: { one: PortGate; two: PortGate };
const helperOf = (peer: string) => ({ engine, image: IMAGE, peer });

beforeAll(async () => {
  engine = await connectEngine();
  network = await ensureNetwork(engine, NAME);
  await guardBridge(network, helperOf(ONE));
  gates = { one: new PortGate(network, helperOf(ONE)), two: new PortGate(network, helperOf(TWO)) };
});
afterAll(async () => {
  await gates.one.allow([]);
  await gates.two.allow([]);
  await forgetGuard();
  await engine.getNetwork(NAME).remove();
});

/** Every rule of the filter table that names this bridge, or lies in a chain of these peers. */
async function rules(): Promise<string[]> {
  const { stdout } = await run('iptables', ['-w', '10', '-S']);
  const own = [network.bridge, `KITH-TCP-${ONE}`, `KITH-TCP-${TWO}`];
  return stdout.split('\n').filter((line) => own.some((name) => line.includes(name)));
}

const opened = async (peer: string): Promise<number[]> =>
  (await rules()).flatMap((rule) =>
    rule.startsWith(`-A KITH-TCP-${peer} `) ? [Number(/--dport (\d+)/.exec(rule)?.[1])] : [],
  );

/** As a host whose rules were flushed by another program. */
async function forgetGuard(): Promise<void> {
  const { bridge } = network;
  await run('sh', [
    '-c',
    `for chain in IN OUT; do
       iptables -w 10 -S | grep -- "-j KITH-$chain-${bridge}" | sed 's/^-A/-D/' | while read -r rule; do
         iptables -w 10 $rule
       done
       iptables -w 10 -F "KITH-$chain-${bridge}" 2>/dev/null && iptables -w 10 -X "KITH-$chain-${bridge}"
       ip6tables -w 10 -S | grep -- "-j KITH-$chain-${bridge}" | sed 's/^-A/-D/' | while read -r rule; do
         ip6tables -w 10 $rule
       done
       ip6tables -w 10 -F "KITH-$chain-${bridge}" 2>/dev/null && ip6tables -w 10 -X "KITH-$chain-${bridge}"
     done; true`,
  ]);
}

test('peers of one Engine open and close their ports without touching the others', async () => {
  await gates.one.allow([61_001, 61_002]);
  await gates.two.allow([61_002, 61_003]);
  expect(await opened(ONE)).toEqual([61_001, 61_002]);
  expect(await opened(TWO)).toEqual([61_002, 61_003]);
  await gates.one.allow([61_004]);
  expect(await opened(ONE)).toEqual([61_004]);
  await gates.one.allow([]);
  expect((await rules()).filter((rule) => rule.includes(`KITH-TCP-${ONE}`))).toEqual([]);
  expect(await opened(TWO)).toEqual([61_002, 61_003]);
  const all = (await rules()).filter((rule) => rule.startsWith(`-A KITH-IN-${network.bridge} `));
  expect(all.at(-1)).toBe(`-A KITH-IN-${network.bridge} -j DROP`);
});

test('doing it again changes nothing', async () => {
  await gates.two.allow([61_005]);
  const before = await rules();
  await gates.two.allow([61_005]);
  await gates.two.restore();
  await guardBridge(network, helperOf(TWO));
  expect(await rules()).toEqual(before);
});

test('changes that come at once end with the latest', async () => {
  await Promise.all([1, 2, 3, 4, 5].map((i) => gates.one.allow([61_000 + i])));
  expect(await opened(ONE)).toEqual([61_005]);
});

test('when the rules of the host are lost, they come back closed but for what is open', async () => {
  await gates.one.allow([61_010]);
  const before = await rules();
  await forgetGuard();
  await guardBridge(network, helperOf(ONE));
  await gates.one.restore();
  await gates.two.restore();
  expect((await rules()).toSorted()).toEqual(before.toSorted());
});

test('an opening that cannot be put back at once is put back as soon as the guard is there, and that is said once', async () => {
  await gates.one.allow([61_010]);
  await forgetGuard();
  const said: string[] = [];
  const log = pino({}, { write: (line: string) => said.push(line) });
  const tasks = new Tasks(log);
  const repair = new PortGateRepair({ portGate: gates.one, tasks, log, retryMs: 50 });
  await repair.repair();
  await repair.repair();
  expect(said).toHaveLength(1);
  expect(said[0]).toContain(`Cannot let dynos on \\"${network.bridge}\\" through to internal ports`);
  await guardBridge(network, helperOf(ONE));
  await tasks.settled();
  const toOne = (rule: string): boolean => rule.endsWith(`-j KITH-TCP-${ONE}`);
  expect((await rules()).filter(toOne)).toHaveLength(1);
  expect(await opened(ONE)).toEqual([61_010]);
  expect(said.slice(1)).toEqual([expect.stringContaining('dynos let through to internal ports again')]);
});

test('a gate that was never told leaves what a former agent opened', async () => {
  await gates.one.allow([61_020]);
  await new PortGate(network, helperOf(ONE)).restore();
  expect(await opened(ONE)).toEqual([61_020]);
});

test('an agent that is not root has the Engine do it, and hears why it could not be done', async () => {
  const getuid = process.getuid?.bind(process);
  process.getuid = () => 1000;
  try {
    await gates.one.allow([61_030]);
    expect(await opened(ONE)).toEqual([61_030]);
    await expect(runHostScript('echo no such thing >&2; exit 3', [], helperOf(ONE))).rejects.toThrow(
      'no such thing',
    );
  } finally {
    if (getuid !== undefined) process.getuid = getuid;
  }
});

test('routers of peers that share an Engine listen on its gateway together, and each can leave', async () => {
  await using dyno = await rawDyno((socket) => socket.end('here'));
  await using one = await startRouter();
  await using two = await startRouter();
  const table = portTable(network.gateway, routePort([target({ port: dyno.port })]));
  await listenAt(one, table);
  await listenAt(two, table);
  await one.handle.shutdown(0);
  for (let i = 0; i < 5; i += 1) expect(await ask(network.gateway, '')).toBe('here');
});
