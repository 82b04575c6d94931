import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DynoResource } from '../../src/platform/dyno.ts';
import { eventually } from '../helpers/eventually.ts';
import { WAIT_MS } from './cluster.ts';
import type { Peer } from './peer.ts';

/** Answers every request with `VERSION DYNO GREETING`, and ends well at SIGTERM. */
const SERVER = `import os, signal, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        body = ' '.join([open('version').read(), os.environ['DYNO'], os.environ.get('GREETING', '-')]).encode()
        self.send_response(200)
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
print('listening', flush=True)
ThreadingHTTPServer(('0.0.0.0', int(os.environ['PORT'])), Answer).serve_forever()
`;

/** An app that needs nothing built: a Procfile and a script for the stack's python3. @returns its folder */
export function writeApp(dir: string, version = 'one'): string {
  mkdirSync(dir, { recursive: true });
  writeFileSync(
    join(dir, 'Procfile'),
    'web: python3 server.py\nworker: while :; do echo working; sleep 1; done\n',
  );
  writeFileSync(join(dir, 'server.py'), SERVER);
  writeFileSync(join(dir, 'version'), version);
  return dir;
}

/** Creates the app at this peer, unless it is there, and releases the folder. */
export async function deploy(peer: Peer, app: string, source: string): Promise<void> {
  if ((await peer.tryKith(['apps:info', '-a', app])).status !== 0) {
    await peer.kith(['apps:create', app, '--no-remote']);
    await peer.kith(['buildpacks:set', 'procfile', '-a', app]);
  }
  await peer.kith(['builds:create', '--source', source, '-a', app]);
}

/** Waits until this peer sees exactly `count` dynos up, none starting or ending. @returns them */
export function formationMet(
  peer: Peer,
  app: string,
  count: number,
  accepts: (dynos: readonly DynoResource[]) => boolean = () => true,
  withinMs = WAIT_MS,
): Promise<readonly DynoResource[]> {
  return eventually(
    async () => {
      const dynos = await peer.dynos(app);
      if (dynos.length === count && dynos.every(({ state }) => state === 'up') && accepts(dynos))
        return dynos;
      throw new Error(`"${peer.name}" sees ${dynos.map(describe).join(', ') || 'no dynos'}, not ${count} up`);
    },
    { withinMs, everyMs: 100 },
  );
}

/** Once the app answers so through this peer's router: its table is a moment behind what the agent knows. */
export function answers(peer: Peer, app: string, expected: RegExp, path = '/'): Promise<string> {
  return eventually(
    async () => {
      const { status, body } = await peer.request(app, path);
      if (status === 200 && expected.test(body)) return body;
      throw new Error(`"${peer.name}" answered ${status}: ${body.slice(0, 200)}`);
    },
    { withinMs: WAIT_MS },
  );
}

const DEALS_MAX = 5;

/**
 * Scales types from nothing and waits for what was asked for, each type on as many peers as it can be. A peer that is held
 * up for a moment while slots are dealt out is passed over, as it should be: they are dealt out anew then.
 * @returns the dynos of these types
 */
export async function spreadOut(
  peer: Peer,
  app: string,
  wanted: Readonly<Record<string, number>>,
  peers: number,
): Promise<readonly DynoResource[]> {
  const types = Object.entries(wanted);
  const scale = (by: (count: number) => number): Promise<string> =>
    peer.kith(['ps:scale', ...types.map(([type, count]) => `${type}=${by(count)}`), '-a', app]);
  for (let deal = 1; ; deal += 1) {
    await scale((count) => count);
    const dynos = await runs(peer, app, wanted);
    const isSpread = types.every(([name, count]) => {
      const hosts = new Set(dynos.filter(({ type }) => type === name).map((dyno) => dyno.peer.id));
      return hosts.size === Math.min(count, peers);
    });
    if (isSpread || deal === DEALS_MAX) return dynos;
    await scale(() => 0);
    await runs(peer, app, Object.fromEntries(types.map(([type]) => [type, 0])));
  }
}

/** Waits until so many dynos of each type are up, and no others of these types are there. */
function runs(
  peer: Peer,
  app: string,
  wanted: Readonly<Record<string, number>>,
): Promise<readonly DynoResource[]> {
  return eventually(
    async () => {
      const dynos = (await peer.dynos(app)).filter(({ type }) => wanted[type] !== undefined);
      const isMet = Object.entries(wanted).every(
        ([name, count]) => dynos.filter(({ type }) => type === name).length === count,
      );
      if (isMet && dynos.every(({ state }) => state === 'up')) return dynos;
      throw new Error(`"${peer.name}" sees ${dynos.map(describe).join(', ') || 'no dynos'}`);
    },
    { withinMs: WAIT_MS, everyMs: 100 },
  );
}

function describe({ name, state, peer }: DynoResource): string {
  return `${name} ${state} at ${peer.name}`;
}

/** Asks for the app through this peer again and again. @returns what `stop` tells: the answers that were no 200 */
export function keepAsking(peer: Peer, app: string): { stop: () => Promise<readonly string[]> } {
  const failures: string[] = [];
  const over = new AbortController();
  const asking = (async () => {
    while (!over.signal.aborted) {
      const { status, body } = await peer.request(app);
      if (status !== 200) failures.push(`${status} ${body.slice(0, 200)}`);
      await sleep(20);
    }
  })();
  return {
    async stop() {
      over.abort();
      await asking;
      return failures;
    },
  };
}
