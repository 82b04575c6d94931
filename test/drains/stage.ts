import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import pino from 'pino';
import { Drains } from '../../agent/drains/drains.ts';
import { openLogs } from '../../agent/logs/logs.ts';
import type { AppId, DrainId, PeerId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { FoundDrain } from '../../src/ledger/drains/drain-duties.ts';
import type { Logs } from '../../src/shell/logs.ts';
import { MemoryNetwork, type MemoryMesh } from '../helpers/memory-mesh.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { SyslogReceiver } from './receivers.ts';

export const APP = 'a0000000-0000-4000-8000-000000000001' as AppId;

/** Texts of so many lines. */
export function numbers(from: number, to: number): readonly string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}`);
}

/** One peer with its own logs, which carries drains when it is told to. */
export class DrainPeer implements AsyncDisposable {
  readonly mesh: MemoryMesh;
  readonly logs: Logs;
  readonly drains: Drains;
  readonly #carrying = new Map<DrainId, { stop: AbortController; ended: Promise<void> }>();

  constructor(mesh: MemoryMesh, logs: Logs, drains: Drains) {
    this.mesh = mesh;
    this.logs = logs;
    this.drains = drains;
  }

  say(...texts: readonly string[]): void {
    for (const text of texts) this.logs.append({ app: APP, source: 'app', process: 'web.1', text });
  }

  /** It is this peer's duty from now on. */
  carry(drain: DrainId): void {
    const stop = new AbortController();
    const ended = this.drains.work({ kind: 'drain', key: `drain/${drain}` }, stop.signal);
    this.#carrying.set(drain, { stop, ended });
  }

  /** It is another's. */
  async leave(drain: DrainId): Promise<void> {
    const carried = this.#carrying.get(drain);
    this.#carrying.delete(drain);
    carried?.stop.abort();
    await carried?.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const drain of this.#carrying.keys()) await this.leave(drain);
    await this.drains[Symbol.asyncDispose]();
    await this.logs[Symbol.asyncDispose]();
    await this.mesh[Symbol.asyncDispose]();
  }
}

/** A few peers that share an app and its drains. */
export class DrainStage implements AsyncDisposable {
  readonly network = new MemoryNetwork();
  readonly peers: DrainPeer[] = [];
  /** What the peers logged, at `info` and above. */
  readonly logged: string[] = [];
  readonly #dir: string;
  readonly #answerMs: number;
  readonly #drains = new Map<
    DrainId,
    { url: string; token: string; createdAt: number; sealed: Uint8Array }
  >();

  /** @param answerMs for a receiver; longer than a busy machine may stand still, or a batch would come twice */
  constructor(dir: string, answerMs = 15_000) {
    this.#dir = dir;
    this.#answerMs = answerMs;
  }

  /** The same name again is the same host, booted anew. */
  async add(name: string): Promise<DrainPeer> {
    const mesh = this.network.add(name);
    const log = pino({ level: 'info' }, { write: (line: string) => this.logged.push(line) });
    const others = (): readonly PeerId[] => mesh.connected();
    const logs = await openLogs({
      dir: join(this.#dir, name),
      mesh,
      members: others,
      log,
      now: Date.now,
      checkMs: 200,
    });
    const drains = new Drains({
      path: join(this.#dir, `${name}-cursors.json`),
      mesh,
      logs,
      find: (id) => this.#find(id),
      open: (_app, _key, sealed) => Buffer.from(sealed).toString(),
      others,
      answerMs: this.#answerMs,
      // Longer than a busy machine may stand still: what was under way would be sent twice.
      finishMs: 15_000,
      log,
    });
    const peer = new DrainPeer(mesh, logs, drains);
    this.peers.push(peer);
    return peer;
  }

  drain(url: string, id = randomUUID() as DrainId): DrainId {
    this.#drains.set(id, { url, token: `d.${id}`, createdAt: Date.now() - 60_000, sealed: Buffer.from(url) });
    return id;
  }

  /** Gives the drain another URL. */
  redirect(id: DrainId, url: string): void {
    const drain = this.#drains.get(id);
    if (drain !== undefined) this.#drains.set(id, { ...drain, url, sealed: Buffer.from(url) });
  }

  #find(id: DrainId): FoundDrain | null {
    const found = this.#drains.get(id);
    if (found === undefined) return null;
    const { token, createdAt, sealed } = found;
    const drain = { id, token, url: sealed, addon: null, createdAt, updatedAt: createdAt };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of the app nothing but its id counts here
    return { app: { id: APP } as App, drain };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.peers) await peer[Symbol.asyncDispose]();
  }
}

export type DrainScene = AsyncDisposable & {
  readonly stage: DrainStage;
  readonly receiver: SyslogReceiver;
  /** Leads to the receiver. */
  readonly drain: DrainId;
};

/** A stage with one drain, and who receives it; the peers are to come. */
export async function openScene(): Promise<DrainScene> {
  const parts = new AsyncDisposableStack();
  const { path } = parts.use(await tempDir());
  const stage = parts.use(new DrainStage(path));
  const receiver = parts.use(await SyslogReceiver.open());
  const drain = stage.drain(`syslog://127.0.0.1:${receiver.port}`);
  return { stage, receiver, drain, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}
