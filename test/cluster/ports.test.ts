import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import type { PortResource } from '../../src/platform/port.ts';
import { eventually } from '../helpers/eventually.ts';
import { deploy, formationMet, spreadOut } from './apps.ts';
import { useCluster, WAIT_MS } from './cluster.ts';
import type { Peer } from './peer.ts';

const TEST_MS = 480_000;
const DATA = 'data';
const DESK = 'desk';
const cluster = useCluster(3);
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');
const cedar = cluster.peer('cedar');

/** Greets with `DYNO HOST`, the host being what its peer calls `kith.internal`, and says everything again. */
const ECHO = `import os, signal, socketserver

class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall((os.environ['DYNO'] + ' ' + os.environ['KITH_INTERNAL_HOST'] + '\\n').encode())
        while data := self.request.recv(65536):
            self.request.sendall(data)

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
Server(('0.0.0.0', int(os.environ['PORT'])), Echo).serve_forever()
`;

/** Prints what it hears at $DATA_URL after it has sent a line there. */
const ASK = `import os, socket
from urllib.parse import urlsplit

url = urlsplit(os.environ['DATA_URL'])
with socket.create_connection((url.hostname, url.port), 10) as there:
    there.settimeout(10)
    there.sendall(b'hello\\n')
    lines = there.makefile()
    print(lines.readline().strip(), lines.readline().strip())
`;

function writeSource(name: string, files: Readonly<Record<string, string>>): string {
  const dir = join(cluster.dir, name);
  mkdirSync(dir, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(dir, file), text);
  return dir;
}

/** Has the desk's dyno on this peer connect until it is told so. */
function told(peer: Peer, accepts: (answer: string) => boolean = () => true): Promise<string> {
  return eventually(
    async () => {
      const answer = (await inDesk(peer, 'python3 ask.py')).trim();
      if (EXCHANGE.test(answer) && accepts(answer)) return answer;
      throw new Error(`The dyno of "${DESK}" on "${peer.name}" was told: ${answer}`);
    },
    { withinMs: WAIT_MS, everyMs: 100 },
  );
}

/** Runs a command in the desk's dyno on this peer. */
async function inDesk(peer: Peer, command: string): Promise<string> {
  const found = (await peer.dynos(DESK)).find((dyno) => dyno.peer.id === peer.id && dyno.state === 'up');
  if (found === undefined) throw new Error(`No dyno of "${DESK}" is up on "${peer.name}"`);
  return peer.kith(['ps:exec', '-a', DESK, '--dyno', found.name, command]);
}

/** Where the data are. */
async function owner(peer: Peer): Promise<Peer> {
  const [dyno] = await formationMet(peer, DATA, 1);
  const found = cluster.peers.find(({ id }) => id === dyno?.peer.id);
  if (found === undefined) throw new Error(`${dyno?.name} runs nowhere`);
  return found;
}

const EXCHANGE = /^echo\.1 (127\.\d+\.\d+\.\d+) hello$/;

/** The address of each peer's router, as its dynos know it. */
let hostOf: ReadonlyMap<Peer, string>;

test(
  'dynos of another app reach an open type at one address, from every peer',
  { timeout: TEST_MS },
  async () => {
    const data = writeSource('data', { Procfile: 'echo: python3 echo.py\n', 'echo.py': ECHO });
    await deploy(ash, DATA, data);
    await birch.kith(['ports:open', 'echo', '-a', DATA]);
    const ports = () => cedar.json<readonly PortResource[]>(['ports', '-a', DATA]);
    const [port] = await ports();
    expect(port).toMatchObject({ type: 'echo', dynos: { up: 0, wanted: 0 } });
    await cedar.kith(['ps:scale', 'echo=1', '-a', DATA]);
    await owner(cedar);
    expect(await ports()).toMatchObject([{ dynos: { up: 1, wanted: 1 } }]);

    const desk = { Procfile: 'desk: while :; do sleep 1; done\n', 'ask.py': ASK };
    await deploy(cedar, DESK, writeSource('desk', desk));
    await ash.kith(['config:set', `DATA_URL=tcp://${port?.address}`, '-a', DESK]);
    await spreadOut(ash, DESK, { desk: 3 }, 3);
    const dynos = await formationMet(birch, DESK, 3);
    expect(new Set(dynos.map(({ peer }) => peer.id)).size).toBe(3);
    const hosts = cluster.peers.map(
      async (peer) => [peer, (await inDesk(peer, 'echo $KITH_INTERNAL_HOST')).trim()] as const,
    );
    hostOf = new Map(await Promise.all(hosts));
    const there = hostOf.get(await owner(ash));
    for (const peer of cluster.peers) expect(await told(peer)).toBe(`echo.1 ${there} hello`);
    const ran = await birch.kith(['run', '-a', DESK, '--', 'python3 ask.py']);
    expect(ran.trim()).toBe(`echo.1 ${there} hello`);
  },
);

test('a connection outlives the agents on both ends of it', { timeout: TEST_MS }, async () => {
  const at = await owner(ash);
  const near = cluster.peers.find((peer) => peer !== at) ?? ash;
  using held = await hold(hostOf.get(near) ?? '', await numberAt(near));
  expect(await held.read()).toBe(`echo.1 ${hostOf.get(at)}`);
  for (const peer of [near, at]) peer.agent.signalAgent('SIGKILL');
  held.socket.write('still there?\n');
  expect(await held.read()).toBe('still there?');
  // Both at once: the dynos of an agent that is away for long are taken over.
  const back = [near, at].map(async (peer) => {
    await peer.agent.exited();
    await peer.start();
  });
  await Promise.all(back);
  await cluster.allAlive();
  held.socket.write('and now?\n');
  expect(await held.read()).toBe('and now?');
  expect(await told(near)).toBe(`echo.1 ${hostOf.get(at)} hello`);
});

test(
  'a type whose peer dies is reached again at the same address, where it runs then',
  { timeout: TEST_MS },
  async () => {
    const dead = await owner(ash);
    dead.kill();
    const left = cluster.peers.filter((peer) => peer !== dead);
    const hosts = new Map([...hostOf].map(([peer, host]) => [host, peer]));
    for (const peer of left) {
      const answer = await told(peer, (text) => !text.includes(hostOf.get(dead) ?? ''));
      expect(left).toContain(hosts.get(EXCHANGE.exec(answer)?.[1] ?? ''));
    }
    await dead.start();
    await cluster.allAlive();
    await eventually(
      async () => {
        using connection = await hold(hostOf.get(dead) ?? '', await numberAt(dead));
        expect(await connection.read()).toBe(`echo.1 ${hostOf.get(await owner(ash))}`);
        return true;
      },
      { withinMs: WAIT_MS, everyMs: 100 },
    );
  },
);

test(
  'a type that is closed is reached no more, and opened again it has its address again',
  { timeout: TEST_MS },
  async () => {
    const number = await numberAt(ash);
    const desks = await formationMet(ash, DESK, 3);
    const peers = cluster.peers.filter(({ id }) => desks.some(({ peer }) => peer.id === id));
    await birch.kith(['ports:close', 'echo', '-a', DATA]);
    await eventually(
      async () => {
        for (const peer of cluster.peers) {
          const refused = await hold(hostOf.get(peer) ?? '', number).then((held) => {
            held[Symbol.dispose]();
            return 'It was connected';
          }, String);
          expect(refused).toContain('ECONNREFUSED');
        }
        return true;
      },
      { withinMs: WAIT_MS, everyMs: 200 },
    );
    await cedar.kith(['ports:open', 'echo', '-a', DATA]);
    expect(await numberAt(birch)).toBe(number);
    for (const peer of peers) await told(peer);
  },
);

/** The number of the open type, as this peer knows it. */
async function numberAt(peer: Peer): Promise<number> {
  const [port] = await peer.json<readonly PortResource[]>(['ports', '-a', DATA]);
  if (port === undefined) throw new Error(`Nothing of "${DATA}" is open at "${peer.name}"`);
  return port.number;
}

type Held = Disposable & { readonly socket: Socket; read(): Promise<string> };

/** A connection to an internal port, as a dyno of that peer would make it. */
async function hold(host: string, port: number): Promise<Held> {
  const socket = connect({ host, port });
  await once(socket, 'connect');
  socket.on('error', () => {}); // Whoever reads is told that the connection has ended.
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  return {
    socket,
    async read() {
      const { value, done } = await lines.next();
      if (done === true) throw new Error('The connection has ended');
      return value;
    },
    [Symbol.dispose]: () => socket.destroy(),
  };
}
