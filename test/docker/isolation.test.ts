import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDockerRuntime } from '../../agent/runtimes/docker/docker-runtime.ts';
import type { DynoId } from '../../src/ids.ts';
import type { DynoSpec, Runtime } from '../../src/shell/runtime.ts';
import type { SlugFiles } from '../../src/shell/slug-files.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { dynoSpec } from '../runtimes/dyno-spec.ts';
import { Recorder, urlOf } from '../runtimes/recorder.ts';
import { makeSlug } from '../runtimes/slug.ts';

const STACK_IMAGE = 'kith/stack:bookworm';
const run = promisify(execFile);

/** Says for each HOST PORT whether a connection is made. */
const REACH = `
import socket, sys, threading
def reach(target):
    host, port = target.rsplit(',', 1)
    try:
        socket.create_connection((host, int(port)), timeout=3).close()
        print(target + ' reached', flush=True)
    except OSError as error:
        print(target + ' refused', flush=True)
for target in sys.argv[1:]:
    threading.Thread(target=reach, args=(target,)).start()
`;

let dir: Awaited<ReturnType<typeof tempDir>>;
let runtime: Runtime;
let events: Recorder;
let slug: SlugFiles;

beforeAll(async () => {
  dir = await tempDir('kith-docker-isolation-');
  slug = await makeSlug(dir.path, { 'reach.py': REACH, file: 'x' });
  const log = pino({ level: 'silent' });
  runtime = await openDockerRuntime({ dir: `${dir.path}/data`, log, stackImage: STACK_IMAGE });
  events = new Recorder(runtime);
});
afterAll(async () => {
  await runtime.shutdown();
  await runtime.collect(new Set());
  await dir[Symbol.asyncDispose]();
});

async function start(command: string, more: Partial<DynoSpec> = {}): Promise<DynoId> {
  const spec = dynoSpec(slug, command, { name: 'web.1', ...more });
  await runtime.start(spec);
  return spec.dyno;
}

async function linesOf(command: string, more: Partial<DynoSpec> = {}): Promise<string[]> {
  const dyno = await start(command, more);
  await events.exited(dyno, 120_000);
  const lines = events.lines(dyno);
  await runtime.remove(dyno);
  return lines;
}

async function containerOf(dyno: DynoId): Promise<string> {
  const { stdout } = await run('docker', ['ps', '-q', '--no-trunc', '--filter', `label=kith.dyno=${dyno}`]);
  return stdout.trim();
}

async function reach(targets: readonly string[]): Promise<Record<string, string>> {
  const lines = await linesOf(`python3 reach.py ${targets.join(' ')}`);
  return Object.fromEntries(lines.map((line) => line.split(' ') as [string, string]));
}

test('a dyno reaches no port of its host: not by the bridge, nor by any other address, of IPv4 or IPv6', async () => {
  const server = createServer((socket) => socket.destroy());
  server.listen(0, '::');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const addresses = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80'))
    .map(({ address }) => `${address},${port}`);
  expect(addresses.length).toBeGreaterThan(1);
  const found = await reach(addresses);
  expect(new Set(Object.values(found))).toEqual(new Set(['refused']));
  expect(Object.keys(found)).toHaveLength(addresses.length);
  server.close();
});

test('a dyno reaches the internal ports that are open, by the bridge alone, and no other port of its host', async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, '0.0.0.0');
  const other = createServer((socket) => socket.destroy()).listen(0, '0.0.0.0');
  await Promise.all([once(server, 'listening'), once(other, 'listening')]);
  const [open, closed] = [server, other].map((each) => (each.address() as AddressInfo).port);
  const others = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .filter(({ family, address }) => family === 'IPv4' && address !== runtime.internalHost)
    .map(({ address }) => `${address},${open}`);
  const gate = `${runtime.internalHost},${open}`;
  const targets = [gate, `${runtime.internalHost},${closed}`, ...others];
  await runtime.allowPorts([open ?? 0]);
  await runtime.allowPorts([open ?? 0]);
  const found = await reach(targets);
  expect(Object.keys(found)).toHaveLength(targets.length);
  expect(targets.filter((target) => found[target] === 'reached')).toEqual([gate]);
  await runtime.allowPorts([closed ?? 0]);
  expect(await reach(targets.slice(0, 2))).toEqual({ [gate]: 'refused', [targets[1] ?? '']: 'reached' });
  await runtime.allowPorts([]);
  expect(new Set(Object.values(await reach(targets)))).toEqual(new Set(['refused']));
  server.close();
  other.close();
}, 180_000);

test('a dyno reaches neither another dyno nor the address where clouds keep secrets', async () => {
  const other = await start('python3 -m http.server --bind :: $PORT', { web: true });
  const address = await events.listening(other);
  expect((await fetch(urlOf(address))).status).toBe(200);
  const format = '{{index .Config.Labels "kith.berth"}}';
  const berth = await run('docker', ['inspect', '--format', format, await containerOf(other)]);
  const both = '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.GlobalIPv6Address}}{{end}}';
  const hosts = await run('docker', ['inspect', '--format', both, berth.stdout.trim()]);
  const own = hosts.stdout
    .trim()
    .split(' ')
    .map((host) => `${host},${address?.port}`);
  const found = await reach([...own, '169.254.169.254,80']);
  expect(Object.keys(found)).toHaveLength(own.length + 1);
  expect(new Set(Object.values(found))).toEqual(new Set(['refused']));
  await runtime.remove(other);
});

test('a dyno reaches the outside, and has names resolved', async () => {
  // The outside is a network namespace behind a pair of interfaces: packets to it leave this host's own addresses.
  const name = `kith-out-${process.pid}`;
  const veth = `ko${process.pid}`.slice(0, 14);
  await run('ip', ['netns', 'add', name]);
  try {
    await run('ip', ['link', 'add', veth, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name]);
    await run('ip', ['addr', 'add', '198.51.100.1/24', 'dev', veth]);
    await run('ip', ['link', 'set', veth, 'up']);
    await run('ip', ['-n', name, 'addr', 'add', '198.51.100.2/24', 'dev', 'eth0']);
    await run('ip', ['-n', name, 'link', 'set', 'eth0', 'up']);
    const server = execFile('ip', ['netns', 'exec', name, 'python3', '-m', 'http.server', '8000']);
    try {
      // It is made at the same time as the dyno, and may come later.
      const command =
        'for i in $(seq 100); do curl -sf -m 2 -o /dev/null http://198.51.100.2:8000/ && echo out && break; sleep 0.5; done';
      expect(await linesOf(command)).toEqual(['out']);
    } finally {
      server.kill('SIGKILL');
    }
  } finally {
    await run('ip', ['netns', 'del', name]);
  }
  expect((await linesOf('getent hosts $(hostname) | wc -l'))[0]).toBe('1');
}, 180_000);

test('a dyno has no capabilities, no new privileges, bounded /tmp and shm, an init, and its own user', async () => {
  const lines = await linesOf(`
    awk '/^(CapEff|CapBnd|CapPrm)/ { print $2 }' /proc/self/status | sort -u
    awk '/^NoNewPrivs/ { print $2 }' /proc/self/status
    whoami; pwd; stat -c %U /app /app/file | sort -u
    head -c 400M /dev/zero >/tmp/big 2>/dev/null || echo /tmp full; rm /tmp/big
    head -c 100M /dev/zero >/dev/shm/big 2>/dev/null || echo shm full
    tr '\\0' ' ' </proc/1/cmdline | head -c 17; echo
    mount -t tmpfs none /mnt 2>/dev/null || echo cannot mount
    (cat </dev/mem) 2>/dev/null || echo no memory
    ls /var/run/docker.sock 2>/dev/null; true
  `);
  const expected = [
    '0000000000000000',
    '1',
    'dyno',
    '/app',
    'dyno',
    '/tmp full',
    'shm full',
    '/sbin/docker-init',
  ];
  expect(lines).toEqual([...expected, 'cannot mount', 'no memory']);
});

test('what a dyno started with cannot be seen by asking the Engine', async () => {
  const secret = randomUUID();
  const dyno = await start(`echo ready ${secret}; sleep 1000`, { env: { SECRET: secret } });
  await events.line(dyno, `ready ${secret}`);
  const inspected = await run('docker', ['inspect', await containerOf(dyno)]);
  expect(inspected.stdout).toContain(dyno);
  expect(inspected.stdout).not.toContain(secret);
  await runtime.remove(dyno);
});

test('things of others in the Engine are left alone, whatever is collected or removed', async () => {
  const foreign = `foreign-${process.pid}`;
  await run('docker', ['run', '-d', '--name', foreign, STACK_IMAGE, 'sleep', '1000']);
  try {
    const other = await openDockerRuntime({
      dir: `${dir.path}/other`,
      log: pino({ level: 'silent' }),
      stackImage: STACK_IMAGE,
    });
    await other.prepare(slug);
    const dyno = await start('sleep 1000');
    await other.shutdown();
    await other.collect(new Set());
    expect(await runtime.stats(dyno)).not.toBeNull();
    expect((await linesOf('cat file'))[0]).toBe('x');
    const { stdout } = await run('docker', ['inspect', foreign, '--format', '{{.State.Running}}']);
    expect(stdout.trim()).toBe('true');
    await runtime.remove(dyno);
  } finally {
    await run('docker', ['rm', '-f', foreign]);
  }
});
