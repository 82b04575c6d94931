import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pino from 'pino';
import { openMesh } from '../../agent/mesh/mesh.ts';
import type { PeerId } from '../../src/ids.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import { eventually } from '../helpers/eventually.ts';

export const log = pino({ level: process.env['KITH_LOG'] ?? 'silent' });

/** A handshake costs two peers 40 ms of CPU each, and a test's peers share one core. */
export const LINKED_MS = 60_000;

export type Member = { readonly peer: PeerId; readonly addrs: readonly string[] };

/** A real libp2p host on a free loopback port. */
export function startPeer({ seed = randomBytes(32), port = 0 } = {}): Promise<Mesh> {
  return openMesh({ seed, listen: [`/ip4/127.0.0.1/tcp/${port}`], log, mdns: null });
}

export function memberOf(mesh: Mesh): Member {
  return { peer: mesh.self, addrs: mesh.addrs() };
}

/** `count` peers that know one another and are all linked; disposed together. */
export async function startCluster(count: number): Promise<{ peers: Mesh[] } & AsyncDisposable> {
  const peers = await Promise.all(Array.from({ length: count }, () => startPeer()));
  introduce(peers);
  await allLinked(peers);
  return {
    peers,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(peers.map((peer) => peer[Symbol.asyncDispose]()));
    },
  };
}

/** Two linked peers, named by who dials first: the lower id. */
export async function startPair(): Promise<{ low: Mesh; high: Mesh } & AsyncDisposable> {
  const cluster = await startCluster(2);
  const [low, high] = [...cluster.peers].sort((a, b) => (a.self < b.self ? -1 : 1));
  if (low === undefined || high === undefined) throw new Error('A pair has two');
  return { low, high, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}

export function introduce(peers: readonly Mesh[], others: readonly Member[] = []): void {
  const members = [...peers.map(memberOf), ...others];
  for (const peer of peers) peer.setMembers(members);
}

export async function allLinked(peers: readonly Mesh[]): Promise<void> {
  await eventually(() => peers.every((peer) => peers.every((o) => o === peer || peer.isConnected(o.self))), {
    withinMs: LINKED_MS,
  });
}

/** Frames as text, in order of arrival, by sender. */
export function collectFrames(mesh: Mesh): { readonly from: PeerId; readonly text: string }[] {
  const frames: { from: PeerId; text: string }[] = [];
  mesh.onFrame((from, frame) => frames.push({ from, text: Buffer.from(frame).toString() }));
  return frames;
}

export type ChildPeer = {
  readonly process: ChildProcess;
  readonly member: Member;
  setMembers(members: readonly Member[]): void;
} & AsyncDisposable;

/** A peer in a process of its own, which echoes what it gets: one that can be killed, or frozen. */
export async function startChildPeer(seed: Uint8Array, port = 0): Promise<ChildPeer> {
  const path = join(import.meta.dirname, 'child-peer.ts');
  const child = spawn(process.execPath, [path, Buffer.from(seed).toString('hex'), String(port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout);
  const member = await new Promise<Member>((resolve, reject) => {
    lines.once('line', (line) => resolve(JSON.parse(line) as Member));
    child.once('exit', () => reject(new Error('The child peer ended early')));
  });
  return {
    process: child,
    member,
    setMembers: (members) => child.stdin.write(`${JSON.stringify(members)}\n`),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}
