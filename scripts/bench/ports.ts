import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { DynoResource } from '../../src/platform/dyno.ts';
import type { AgentProcess } from '../lib/agent-process.ts';
import { kith, must } from '../lib/kith.ts';
import { askApi } from '../lib/peer-api.ts';
import { BenchCluster, waitFor } from './cluster.ts';
import type { Finding } from './report.ts';
import { digits, summarize } from './stats.ts';

const APP = 'echo';
const READY_MS = 60_000;
const PING = Buffer.alloc(64, 'p');
const CHUNK = Buffer.alloc(64 * 1024, 'c');
const ROUNDS = { whole: 9, quick: 2 };
const PINGS = { whole: 2_000, quick: 100 };
const CONNECTIONS = { whole: 200, quick: 10 };
const STREAM_BYTES = { whole: 256 * 2 ** 20, quick: 8 * 2 ** 20 };

/** Greets with its own port, and says everything again. */
const ECHO = `import os, signal, socketserver

class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall((os.environ['PORT'] + '\\n').encode())
        while data := self.request.recv(1 << 18):
            self.request.sendall(data)

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
Server(('0.0.0.0', int(os.environ['PORT'])), Echo).serve_forever()
`;

type Dyno = Pick<DynoResource, 'name' | 'type' | 'state' | 'peer'>;
type Way = { readonly name: string; readonly host: string; readonly port: number };
type Sample = { readonly pingUs: number; readonly connectUs: number; readonly mibPerSecond: number };

/** What an internal port costs beside a connection straight to the dyno; the three ways in turn, so that noise meets all. */
export async function benchPorts({ quick }: { readonly quick: boolean }): Promise<Finding> {
  await using cluster = await BenchCluster.start(2);
  const [first] = cluster.agents;
  if (first === undefined) throw new Error('No peer');
  const ways = await waysTo(await openEcho(first, join(cluster.dir, 'source')), first);
  const samples = new Map<string, Sample[]>(ways.map(({ name }) => [name, []]));
  const size = quick ? 'quick' : 'whole';
  for (let round = 0; round < ROUNDS[size]; round += 1) {
    for (const way of ways) {
      const sample = {
        pingUs: await pingUs(way, PINGS[size]),
        connectUs: await connectUs(way, CONNECTIONS[size]),
        mibPerSecond: await mibPerSecond(way, STREAM_BYTES[size]),
      };
      samples.get(way.name)?.push(sample);
      process.stdout.write(
        `  ${way.name}: ${digits(sample.pingUs)} µs, ${digits(sample.connectUs)} µs, ${digits(sample.mibPerSecond)} MiB/s\n`,
      );
    }
  }
  return report(samples);
}

/** @returns the number of the open port */
async function openEcho(agent: AgentProcess, source: string): Promise<number> {
  mkdirSync(source);
  writeFileSync(join(source, 'Procfile'), 'echo: python3 echo.py\nidle: while :; do sleep 1; done\n');
  writeFileSync(join(source, 'echo.py'), ECHO);
  for (const words of [
    ['apps:create', APP, '--no-remote', '-b', 'heroku/procfile'],
    ['ports:open', 'echo', '-a', APP],
    ['builds:create', '--source', source, '-a', APP],
    ['ps:scale', 'echo=1', 'idle=2', '-a', APP],
  ]) {
    must(await kith(agent.dir, words));
  }
  const ports = async () =>
    (await askApi(agent, 'GET', `/kith/apps/${APP}/ports`)) as { number: number; dynos: { up: number } }[];
  await waitFor('the dyno to listen', READY_MS, 200, async () => (await ports())[0]?.dynos.up === 1);
  return (await ports())[0]?.number ?? 0;
}

/** Straight to the dyno, through the router beside it, and through the other peer's. */
async function waysTo(port: number, agent: AgentProcess): Promise<readonly Way[]> {
  const dynos = (): Promise<Dyno[]> => askApi(agent, 'GET', `/apps/${APP}/dynos`) as Promise<Dyno[]>;
  await waitFor('all dynos', READY_MS, 200, async () => (await dynos()).every(({ state }) => state === 'up'));
  const all = await dynos();
  const home = all.find(({ type }) => type === 'echo')?.peer.id;
  const idle = all.filter(({ type }) => type === 'idle');
  const [near, away] = [idle.find(({ peer }) => peer.id === home), idle.find(({ peer }) => peer.id !== home)];
  if (near === undefined || away === undefined) throw new Error('The dynos are not spread over the peers');
  const beside = { name: "through its peer's router", host: await routerHost(agent, near), port };
  const far = { name: "through another peer's router", host: await routerHost(agent, away), port };
  return [{ name: 'straight to the dyno', host: '127.0.0.1', port: await dynoPort(beside) }, beside, far];
}

/** What a dyno takes for `kith.internal`. */
async function routerHost(agent: AgentProcess, { name }: Dyno): Promise<string> {
  const words = ['ps:exec', '-a', APP, '--dyno', name, 'echo $KITH_INTERNAL_HOST'];
  return must(await kith(agent.dir, words)).stdout.trim();
}

async function dynoPort(way: Way): Promise<number> {
  const { socket, greeting } = await open(way);
  socket.destroy();
  return Number(greeting);
}

/** Connected once the dyno has greeted. */
async function open({
  host,
  port,
}: Pick<Way, 'host' | 'port'>): Promise<{ socket: Socket; greeting: string }> {
  const socket = connect({ host, port, noDelay: true });
  const [greeting] = (await once(socket, 'data')) as [Buffer];
  return { socket, greeting: greeting.toString().trim() };
}

async function pingUs(way: Way, count: number): Promise<number> {
  const { socket } = await open(way);
  const times: number[] = [];
  for (let sent = 0; sent < count; sent += 1) {
    const began = performance.now();
    socket.write(PING);
    for (let heard = 0; heard < PING.length;) {
      const [data] = (await once(socket, 'data')) as [Buffer];
      heard += data.length;
    }
    times.push(1_000 * (performance.now() - began));
  }
  socket.destroy();
  return summarize(times).median;
}

async function connectUs(way: Way, count: number): Promise<number> {
  const times: number[] = [];
  for (let made = 0; made < count; made += 1) {
    const began = performance.now();
    const { socket } = await open(way);
    times.push(1_000 * (performance.now() - began));
    socket.destroy();
  }
  return summarize(times).median;
}

/** There and back at once. */
async function mibPerSecond(way: Way, bytes: number): Promise<number> {
  const { socket } = await open(way);
  const began = performance.now();
  const all = new Promise<void>((resolve, reject) => {
    let heard = 0;
    socket.on('error', reject);
    socket.on('data', ({ length }: Buffer) => {
      heard += length;
      if (heard >= bytes) resolve();
    });
  });
  for (let sent = 0; sent < bytes; sent += CHUNK.length) {
    if (!socket.write(CHUNK)) await once(socket, 'drain');
  }
  await all;
  socket.destroy();
  return bytes / 2 ** 20 / ((performance.now() - began) / 1_000);
}

function report(samples: ReadonlyMap<string, readonly Sample[]>): Finding {
  const rows = [...samples].map(([name, all]) => {
    const figure = (of: (sample: Sample) => number, unit: string): string => {
      const { min, median, max } = summarize(all.map(of));
      return `${digits(median)} ${unit} (${digits(min)} to ${digits(max)})`;
    };
    return `| ${name} | ${figure(({ pingUs: us }) => us, 'µs')} | ${figure(({ connectUs: us }) => us, 'µs')} | ${figure(({ mibPerSecond: rate }) => rate, 'MiB/s')} |`;
  });
  const pings = [...samples.values()].map((all) => summarize(all.map(({ pingUs: us }) => us)).median);
  const [straight = 1, beside = 1, far = 1] = pings;
  return {
    body: [
      'Medians of the rounds, least and most of them in brackets:',
      '',
      '| | 64 bytes there and back | new connection, to the first byte | stream, there and back at once |',
      '| --- | --- | --- | --- |',
      ...rows,
      '',
      `A round trip through the router beside the dyno takes ${digits(beside / straight)} times as long as one straight to it, through`,
      `another peer's ${digits(far / straight)} times: the client and the Python server are in all three.`,
    ].join('\n'),
    aims: [],
  };
}
