import { PlatformError } from '../errors.ts';
import type { ClusterId, Epoch, OpId, PeerId } from '../ids.ts';
import { emptyLog, extendLog, holds } from './author-log.ts';
import type { AuthorLog } from './author-log.ts';
import { resolveDraftRefs } from './draft-ref.ts';
import { nextHlc } from './hlc.ts';
import type { OpDraft, StoredOp } from './op.ts';
import type { Hlc } from './hlc.ts';
import { signOp, verifyOp } from './signing.ts';
import type { Signer } from './signing.ts';

/** Every author's log that this peer holds, by `author/epoch`. Immutable to readers. */
export type AuthorLogs = ReadonlyMap<string, AuthorLog>;

/**
 * What a peer holds: by `author/epoch` the highest sequence number, and by `author/epoch/head` a digest that differs
 * where two logs of one height are not the same.
 */
export type Vector = Readonly<Record<string, number>>;

/** A stretch of one author's log, `to` included. */
export type LogRange = {
  readonly author: PeerId;
  readonly epoch: Epoch;
  readonly from: number;
  readonly to: number;
};

export type Acceptance = {
  readonly logs: AuthorLogs;
  /** New ops, per log in sequence: to be stored, then folded. Those we held already are neither here nor rejected. */
  readonly accepted: readonly StoredOp[];
  readonly rejected: readonly { readonly id: OpId; readonly reason: string }[];
  /** Ops that came too early: `have` is the last before the hole, -1 where a whole branch is missing. */
  readonly gaps: readonly {
    readonly author: PeerId;
    readonly epoch: Epoch;
    readonly have: number;
    readonly got: number;
  }[];
  /** Sequence numbers that now have two ops. Both are kept, the epoch is sealed. */
  readonly equivocations: readonly {
    readonly author: PeerId;
    readonly epoch: Epoch;
    readonly seq: number;
  }[];
};

type Findings = { [Key in Exclude<keyof Acceptance, 'logs'>]: Acceptance[Key][number][] };

/** A sender whose run ends in more bad signatures than this is not worth more of our time. */
const BAD_SIGNATURES_MAX = 16;

export function emptyLogs(): AuthorLogs {
  return new Map();
}

/**
 * Takes ops that others sent, of any authors in any order. The chain of hashes makes one valid signature vouch for
 * all ops below it, so of each run only the end is verified: the signature bytes of an inner op are as its sender
 * gave them, and it convinces nobody as the end of a range. Serve ranges up to the height: that op was verified here.
 * @param cluster null before this peer has one; ops of another are rejected
 */
export function acceptOps(logs: AuthorLogs, ops: readonly StoredOp[], cluster: ClusterId | null): Acceptance {
  return takeOps(logs, ops, { cluster, isTrusted: false });
}

/**
 * Takes ops from the own store: the chain is checked, signatures were when they came. A log ends before an op that
 * the disk has lost: what followed comes again from others.
 */
export function restoreOps(logs: AuthorLogs, ops: readonly StoredOp[]): AuthorLogs {
  return takeOps(logs, ops, { cluster: null, isTrusted: true }).logs;
}

export function holdsOp(logs: AuthorLogs, stored: StoredOp): boolean {
  const log = logs.get(logKey(stored.op.author, stored.op.epoch));
  return log !== undefined && holds(log, stored);
}

/** What this peer says it holds. A log of which a branch is missing is left out: it must come again from the start. */
export function vectorOf(logs: AuthorLogs): Vector {
  return vectorOfThose([...logs].filter(([, { suspect }]) => suspect === null));
}

/** What this peer can give: also of a log of which it lacks a branch, for whoever has that branch may lack what is below. */
export function holdingsOf(logs: AuthorLogs): Vector {
  return vectorOfThose([...logs]);
}

function vectorOfThose(logs: readonly (readonly [key: string, log: AuthorLog])[]): Vector {
  const vector: Record<string, number> = {};
  for (const [key, { height, headDigest }] of logs) {
    if (height < 0) continue;
    vector[key] = height;
    vector[`${key}/head`] = headDigest;
  }
  return vector;
}

/** What they lack that I have. A log that is as high with them and not the same has another branch: it goes whole. */
export function rangesMissing(mine: Vector, theirs: Vector): readonly LogRange[] {
  const ranges: LogRange[] = [];
  for (const [key, to] of Object.entries(mine)) {
    const [author, epoch, isDigest] = key.split('/');
    if (isDigest !== undefined) continue;
    const headKey = `${key}/head`;
    const [head, theirHead] = [mine[headKey], theirs[headKey]];
    const isBranch = theirs[key] === to && theirHead !== undefined && theirHead !== head;
    const from = isBranch ? 0 : (theirs[key] ?? -1) + 1;
    if (from <= to) ranges.push({ author: author as PeerId, epoch: epoch as Epoch, from, to });
  }
  return ranges;
}

/** Whether an author must not go on in this epoch: two ops of it bear one sequence number. */
export function isSealed(logs: AuthorLogs, author: PeerId, epoch: Epoch): boolean {
  return (logs.get(logKey(author, epoch))?.siblings.size ?? 0) > 0;
}

/** Height by epoch of one author's logs. */
export function heightsOf(logs: AuthorLogs, author: PeerId): Readonly<Record<string, number>> {
  const own = [...logs.values()].filter((log) => log.author === author && log.height >= 0);
  return Object.fromEntries(own.map((log) => [log.epoch, log.height]));
}

/**
 * Writes drafts as the next ops of the signer's own log. Later drafts may name earlier ones (`draftRef`).
 * Throws `conflict` when the epoch is sealed, `too_large` when an op is past 256 KiB.
 */
export function appendDrafts(
  logs: AuthorLogs,
  at: {
    readonly cluster: ClusterId;
    readonly signer: Signer;
    readonly epoch: Epoch;
    readonly hlc: Hlc;
    readonly wall: number;
  },
  drafts: readonly OpDraft[],
): { logs: AuthorLogs; ops: readonly StoredOp[]; hlc: Hlc } {
  const { cluster, signer, epoch, wall } = at;
  const author = signer.peer;
  if (isSealed(logs, author, epoch)) {
    throw new PlatformError('conflict', `Cannot append to epoch "${epoch}": two ops of it bear one number`, {
      hint: 'Go on in a new epoch',
    });
  }
  const log = logs.get(logKey(author, epoch)) ?? emptyLog(author, epoch);
  const ops: StoredOp[] = [];
  let hlc = at.hlc;
  for (const draft of drafts) {
    hlc = nextHlc(hlc, wall);
    const { kind, ...said } = draft.body;
    const body = draft.stamp === undefined ? said : { ...said, stamp: draft.stamp };
    const seq = log.height + 1 + ops.length;
    const prev = ops.at(-1)?.id ?? log.head;
    const parents = resolveDraftRefs(draft.parents, ops);
    ops.push(signOp({ v: 1, cluster, author, epoch, seq, prev, hlc, parents, kind, body }, signer));
  }
  return { logs: new Map(logs).set(logKey(author, epoch), extendLog(log, ops).log), ops, hlc };
}

function takeOps(
  logs: AuthorLogs,
  ops: readonly StoredOp[],
  how: { readonly cluster: ClusterId | null; readonly isTrusted: boolean },
): Acceptance {
  const found: Findings = { accepted: [], rejected: [], gaps: [], equivocations: [] };
  const byLog = new Map<string, StoredOp[]>();
  for (const stored of ops) {
    const { author, epoch, cluster } = stored.op;
    if (how.cluster !== null && cluster !== how.cluster) {
      found.rejected.push({ id: stored.id, reason: `of another cluster, "${cluster}"` });
      continue;
    }
    const key = logKey(author, epoch);
    const run = byLog.get(key);
    if (run === undefined) byLog.set(key, [stored]);
    else run.push(stored);
  }
  const next = new Map(logs);
  for (const [key, run] of byLog) {
    const { author, epoch } = (run[0] as StoredOp).op;
    const log = takeRun(next.get(key) ?? emptyLog(author, epoch), run, how.isTrusted, found);
    if (log.height >= 0) next.set(key, log);
  }
  return { logs: next, ...found };
}

/** Takes ops of one log: links what links, proves it, and notes what is missing. */
function takeRun(log: AuthorLog, run: readonly StoredOp[], isTrusted: boolean, found: Findings): AuthorLog {
  run = [...run].sort((a, b) => a.op.seq - b.op.seq);
  const { linked, loose } = link(log, run);
  const proven = isTrusted ? linked : prove(linked, found);
  const { log: extended, forks } = extendLog(log, proven);
  const { author, epoch } = log;
  for (const op of proven) found.accepted.push(op);
  for (const seq of forks) found.equivocations.push({ author, epoch, seq });

  const first = loose[0];
  const hasPassedSuspect =
    log.suspect !== null && run.some((stored) => stored.op.seq === (log.suspect ?? 0) - 1);
  const settled = hasPassedSuspect ? { ...extended, suspect: null } : extended;
  if (first === undefined) return settled;
  const isBranch = first.op.seq <= extended.height + 1 && (isTrusted || verifyOp(first));
  found.gaps.push({ author, epoch, have: isBranch ? -1 : extended.height, got: first.op.seq });
  return isBranch && !isTrusted ? { ...settled, suspect: first.op.seq } : settled;
}

/** Sorts new ops into those whose `prev` is held or comes with them, and those that hang in the air. */
function link(log: AuthorLog, run: readonly StoredOp[]): { linked: StoredOp[]; loose: StoredOp[] } {
  const linked: StoredOp[] = [];
  const loose: StoredOp[] = [];
  const fresh = new Set<OpId>();
  for (const stored of run) {
    const { seq, prev } = stored.op;
    if (fresh.has(stored.id) || holds(log, stored)) continue;
    const isLinked = prev === null || fresh.has(prev) || log.ids.get(seq - 1)?.includes(prev);
    if (!isLinked) {
      loose.push(stored);
      continue;
    }
    fresh.add(stored.id);
    linked.push(stored);
  }
  return { linked, loose };
}

/** The linked ops that a valid signature vouches for. From the end, so that an op is proven by what follows it. */
function prove(linked: readonly StoredOp[], found: Findings): StoredOp[] {
  const proven = new Set<OpId>();
  let badSignatures = 0;
  for (const stored of linked.toReversed()) {
    if (!proven.has(stored.id)) {
      if (badSignatures >= BAD_SIGNATURES_MAX || !verifyOp(stored)) {
        badSignatures += 1;
        found.rejected.push({ id: stored.id, reason: `not signed by its author "${stored.op.author}"` });
        continue;
      }
      proven.add(stored.id);
    }
    if (stored.op.prev !== null) proven.add(stored.op.prev);
  }
  return linked.filter((stored) => proven.has(stored.id));
}

function logKey(author: PeerId, epoch: Epoch): string {
  return `${author}/${epoch}`;
}
