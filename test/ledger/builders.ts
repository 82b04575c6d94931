import { createHash } from 'node:crypto';
import type { AppId, BlobId, ClusterId, DrainId, Epoch, OpId, PeerId, ProcessType } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import { acceptOps, appendDrafts, emptyLogs } from '../../src/ledger/author-logs.ts';
import type { Acceptance, AuthorLogs } from '../../src/ledger/author-logs.ts';
import type { Command, CommandContext, Decision } from '../../src/ledger/command.ts';
import { decide } from '../../src/ledger/decide.ts';
import { applyOps, emptyFold } from '../../src/ledger/fold.ts';
import type { Fold } from '../../src/ledger/fold.ts';
import { adoptHlc } from '../../src/ledger/hlc.ts';
import type { OpBody, OpDraft, StoredOp } from '../../src/ledger/op.ts';
import type { Hlc } from '../../src/ledger/hlc.ts';
import type { SlugRef } from '../../src/ledger/releases/release-types.ts';
import { createSigner } from '../../src/ledger/signing.ts';
import type { Signer } from '../../src/ledger/signing.ts';
import type { View } from '../../src/ledger/view.ts';

export const CLUSTER = 'c'.repeat(26) as ClusterId;
export const WEB = 'web' as ProcessType;

/** Noon of some day: where every test's clock begins. */
export const NOON = 1_700_000_000_000;

export function testSigner(n: number): Signer {
  return createSigner(createHash('sha256').update(`peer ${n}`).digest());
}

export function testEpoch(text: string): Epoch {
  const letters = createHash('sha256')
    .update(text)
    .digest('hex')
    .replaceAll(/[0189]/g, 'z');
  return letters.slice(0, 16) as Epoch;
}

/** The nth app: a UUID. */
export function appId(n: number): AppId {
  const hex = createHash('sha256').update(`app ${n}`).digest('hex');
  return [8, 12, 16, 20, 32].map((end, at) => hex.slice([0, 8, 12, 16, 20][at], end)).join('-') as AppId;
}

/** The nth drain: a UUID. */
export function drainId(n: number): DrainId {
  return appId(1_000 + n) as string as DrainId;
}

/** Sends the app's log to this host; each drain is added once. */
export function addDrain(n: number, host: string, app = 1): Command {
  const url = sealed(`syslog://${host}`);
  return {
    type: 'drain.add',
    app: appId(app),
    drain: drainId(n),
    token: `d.${drainId(n)}`,
    url,
    addon: null,
  };
}

export function blobId(text: string): BlobId {
  return createHash('sha256').update(text).digest('hex') as BlobId;
}

export function slugOf(text: string, processTypes: Record<string, string> = { web: 'node .' }): SlugRef {
  return {
    id: blobId(text),
    bytes: 1_000,
    arch: 'any',
    stack: 'heroku-24',
    processTypes,
    commit: blobId(text).slice(0, 40),
    buildpack: 'Node.js',
    source: null,
  };
}

export function sealed(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function unsealed(value: Uint8Array | null | undefined): string | null {
  return value ? new TextDecoder().decode(value) : null;
}

/** One peer's ledger: real logs, fold and decisions, with a clock that the test sets. */
export class TestPeer {
  readonly signer: Signer;
  epoch: Epoch;
  logs: AuthorLogs = emptyLogs();
  fold: Fold = emptyFold();
  hlc: Hlc = { ms: 0, n: 0 };
  wall = NOON;
  /** Every op this peer holds, in the order it got them. */
  readonly ops: StoredOp[] = [];

  constructor(n: number) {
    this.signer = testSigner(n);
    this.epoch = testEpoch(`epoch ${n}`);
  }

  get id(): PeerId {
    return this.signer.peer;
  }

  get view(): View {
    return this.fold.view;
  }

  app(n = 1): App {
    const app = this.view.apps.get(appId(n));
    if (app === undefined) throw new Error(`No app ${n} here`);
    return app;
  }

  /** The value of a config var of an app's current release. */
  config(key: string, n = 1): string | null {
    const { current, releases } = this.app(n);
    return current === null ? null : unsealed(releases.get(current)?.config.get(key)?.value);
  }

  decide(command: Command, context: Partial<CommandContext> = {}): Decision {
    return decide(this.fold, this.logs, command, { user: 'ada@example.com', request: null, ...context });
  }

  /** Decides and writes; throws when refused. */
  run(command: Command, context: Partial<CommandContext> = {}): readonly StoredOp[] {
    const decision = this.decide(command, context);
    if (!decision.ok) throw new Error(decision.error.message);
    return this.append(decision.drafts);
  }

  /** As `run`, and a refusal is fine. */
  try(command: Command, context: Partial<CommandContext> = {}): readonly StoredOp[] {
    const decision = this.decide(command, context);
    return decision.ok ? this.append(decision.drafts) : [];
  }

  append(drafts: readonly OpDraft[]): readonly StoredOp[] {
    this.wall += 1;
    const { cluster, ...at } = { cluster: CLUSTER, signer: this.signer, epoch: this.epoch, hlc: this.hlc };
    const result = appendDrafts(this.logs, { cluster, ...at, wall: this.wall }, drafts);
    this.logs = result.logs;
    this.hlc = result.hlc;
    this.ops.push(...result.ops);
    this.fold = applyOps(this.fold, result.ops);
    return result.ops;
  }

  /** Writes whatever it is told, decided by nobody. */
  write(body: OpBody | { readonly kind: string }, parents: readonly OpId[] = []): StoredOp {
    const [op] = this.append([{ parents, body: body as OpBody }]);
    if (op === undefined) throw new Error('Nothing was written');
    return op;
  }

  receive(ops: readonly StoredOp[]): Acceptance {
    const result = acceptOps(this.logs, ops, CLUSTER);
    this.logs = result.logs;
    for (const { op } of result.accepted) this.hlc = adoptHlc(this.hlc, op.hlc, this.wall);
    this.ops.push(...result.accepted);
    this.fold = applyOps(this.fold, result.accepted);
    return result;
  }
}

/** Each gets all that the others hold. */
export function sync(...peers: readonly TestPeer[]): void {
  for (const to of peers) for (const from of peers) if (from !== to) to.receive(from.ops);
}

/** A cluster of so many peers, founded by the first, all of whom know each other. */
export function cluster(count: number): TestPeer[] {
  const peers = Array.from({ length: count }, (_, n) => new TestPeer(n));
  const [founder, ...guests] = peers;
  if (founder === undefined) return [];
  founder.run({
    type: 'cluster.found',
    name: 'home',
    peer: founder.id,
    caCert: 'cert',
    caKey: sealed('ca key'),
    key: 'k1',
  });
  guests.forEach((guest, n) => {
    founder.run({ type: 'member.admit', peer: guest.id, invite: null, name: `peer-${n + 1}` });
  });
  sync(...peers);
  return peers;
}

export function createApp(n = 1, name = 'blog'): Command {
  return { type: 'app.create', app: appId(n), name, fallbackName: 'quiet-fog-1' };
}

export function setConfig(values: Record<string, string | null>, n = 1): Command {
  const entries = Object.entries(values).map(([key, value]) => [key, value === null ? null : sealed(value)]);
  return { type: 'config.patch', app: appId(n), config: Object.fromEntries(entries) };
}

export function deploy(text: string, n = 1, processTypes?: Record<string, string>): Command {
  return { type: 'release.deploy', app: appId(n), slug: slugOf(text, processTypes), description: '' };
}

/** A cluster with one app, `blog`, that every peer knows. */
export function clusterWithApp(count: number): TestPeer[] {
  const peers = cluster(count);
  peers[0]?.run(createApp());
  sync(...peers);
  return peers;
}

export function refusal(decision: Decision): {
  code: string;
  message: string;
  resource?: string | undefined;
} {
  if (decision.ok) throw new Error('It was not refused');
  const { code, message, resource } = decision.error;
  return { code, message, resource };
}
