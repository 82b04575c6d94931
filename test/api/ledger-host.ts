import { randomBytes, randomUUID } from 'node:crypto';
import { Readable, type Duplex } from 'node:stream';
import { PlatformError } from '../../src/errors.ts';
import type { DynoUsage } from '../../src/dyno-usage.ts';
import type { PeerFacts } from '../../src/facts.ts';
import type { AppId, ClusterId, DynoId, Epoch, OpId, PeerId, SlotKey } from '../../src/ids.ts';
import { appendDrafts, emptyLogs } from '../../src/ledger/author-logs.ts';
import type { Command, CommandContext } from '../../src/ledger/command.ts';
import { decide } from '../../src/ledger/decide.ts';
import { applyOps, emptyFold } from '../../src/ledger/fold.ts';
import type { Op, StoredOp } from '../../src/ledger/op.ts';
import type { Hlc } from '../../src/ledger/hlc.ts';
import { createSigner } from '../../src/ledger/signing.ts';
import type { View } from '../../src/ledger/view.ts';
import type {
  Collected,
  DynoPlace,
  OneOff,
  OneOffRequest,
  PeerHost,
  PeerStatus,
} from '../../src/shell/host.ts';
import type { ExecSpec } from '../../src/shell/runtime.ts';
import { frameEcho } from './frame-echo.ts';

const SEALED = 'sealed ';

/** A peer that is alone: the real ledger in memory, and nothing that runs. What it is asked to do is kept for the test. */
export class LedgerHost implements PeerHost {
  readonly #signer = createSigner(randomBytes(32));
  readonly #epoch = 'abcdefghijklmnop' as Epoch;
  readonly #stored = new Map<OpId, StoredOp>();
  #logs = emptyLogs();
  #fold = emptyFold();
  #hlc: Hlc = { ms: 0, n: 0 };

  readonly self: PeerId = this.#signer.peer;
  readonly statuses: PeerStatus[] = [];
  readonly unplacedSlots: { slot: SlotKey; reason: string }[] = [];
  readonly oneOffs: { request: OneOffRequest; attach: Duplex | null }[] = [];
  readonly execs: { place: DynoPlace; spec: ExecSpec; attach: Duplex }[] = [];
  readonly copies: { place: DynoPlace; path: string }[] = [];
  /** What is copied out of any dyno. */
  archive: () => Readable = () => Readable.from([]);
  readonly stopped: string[] = [];
  readonly usages: DynoUsage[] = [];
  readonly drains: boolean[] = [];
  readonly invites: number[] = [];
  readonly joins: string[] = [];

  constructor() {
    this.write(
      {
        type: 'cluster.found',
        name: 'attic',
        peer: this.self,
        caCert: 'CA',
        caKey: Buffer.from('key'),
        key: 'key-1',
      },
      { user: 'kith', request: null },
    );
  }

  view(): View {
    return this.#fold.view;
  }

  peers(): readonly PeerStatus[] {
    return this.statuses;
  }

  unplaced(): readonly { slot: SlotKey; reason: string }[] {
    return this.unplacedSlots;
  }

  write(command: Command, context: CommandContext): readonly OpId[] {
    const decision = decide(this.#fold, this.#logs, command, context);
    if (!decision.ok) throw PlatformError.fromRecord(decision.error);
    if (decision.repeats !== null) return [decision.repeats];
    const at = {
      cluster: 'aaaaaaaaaaaaaaaaaaaaaaaaaa' as ClusterId,
      signer: this.#signer,
      epoch: this.#epoch,
      hlc: this.#hlc,
      wall: Date.now(),
    };
    const { logs, ops, hlc } = appendDrafts(this.#logs, at, decision.drafts);
    this.#logs = logs;
    this.#hlc = hlc;
    this.#fold = applyOps(this.#fold, ops);
    for (const op of ops) this.#stored.set(op.id, op);
    return ops.map((op) => op.id);
  }

  async command(command: Command, context: CommandContext): Promise<readonly OpId[]> {
    return this.write(command, context);
  }

  async op(id: OpId): Promise<Op | null> {
    return this.#stored.get(id)?.op ?? null;
  }

  async verify(): Promise<{ checked: number; problems: readonly string[] }> {
    return { checked: this.#stored.size, problems: [] };
  }

  seal(_owner: string, _key: string, value: string): Uint8Array {
    return Buffer.from(SEALED + value);
  }

  open(_owner: string, _key: string, sealed: Uint8Array): string {
    return Buffer.from(sealed).toString().slice(SEALED.length);
  }

  async runOneOff(request: OneOffRequest): Promise<OneOff> {
    const app = this.view().apps.get(request.app);
    if (app?.current == null) throw new PlatformError('not_found', 'No app', { resource: 'app' });
    const attach = request.attach === null ? null : frameEcho();
    this.oneOffs.push({ request, attach });
    const name = `run.${this.oneOffs.length}`;
    return { dyno: randomUUID() as string as DynoId, name, peer: this.self, release: app.current, attach };
  }

  async execIn(place: DynoPlace, spec: ExecSpec): Promise<Duplex> {
    const attach = frameEcho();
    this.execs.push({ place, spec, attach });
    return attach;
  }

  async copyFrom(place: DynoPlace, path: string): Promise<Readable> {
    this.copies.push({ place, path });
    return this.archive();
  }

  async usage(): Promise<readonly DynoUsage[]> {
    return this.usages;
  }

  async stopDyno(_app: AppId, name: string): Promise<void> {
    this.stopped.push(name);
  }

  async invite(_context: CommandContext, ttlMs: number): Promise<string> {
    this.invites.push(ttlMs);
    return 'kith1.invitation';
  }

  async join(token: string): Promise<void> {
    this.joins.push(token);
  }

  async collect(): Promise<Collected> {
    return { removed: 2, bytes: 3 * 1024 ** 2, kept: 1, keptBytes: 1024 ** 2 };
  }

  async drain(on: boolean): Promise<void> {
    this.drains.push(on);
  }

  /** Makes a peer known as alive, with what `fields` says it runs. */
  announce(fields: Partial<PeerFacts> = {}): void {
    const facts: PeerFacts = {
      peer: this.self,
      incarnation: 1,
      counter: 1,
      name: 'attic',
      version: '0.1.0',
      arch: 'x64',
      runtime: 'process',
      isolation: 'none',
      labels: {},
      addrs: { mesh: [], api: '127.0.0.1:1', http: '127.0.0.1:2', proxy: '127.0.0.1:3' },
      capacity: { memoryMiB: 4_096, cpus: 4 },
      load: 0.5,
      draining: false,
      dynos: [],
      oneOffs: [],
      blobs: [],
      shy: [],
      ...fields,
    };
    this.statuses.push({ peer: facts.peer, verdict: 'alive', facts });
  }
}
