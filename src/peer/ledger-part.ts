import { createHash } from 'node:crypto';
import { base32 } from 'multiformats/bases/base32';
import { PlatformError } from '../errors.ts';
import type { Epoch, PeerId } from '../ids.ts';
import {
  acceptOps,
  appendDrafts,
  holdingsOf,
  holdsOp,
  rangesMissing,
  restoreOps,
  vectorOf,
  type Vector,
} from '../ledger/author-logs.ts';
import { decodeOp } from '../ledger/codec.ts';
import { applyOps } from '../ledger/fold.ts';
import { adoptHlc } from '../ledger/hlc.ts';
import type { OpDraft, StoredOp } from '../ledger/op.ts';
import type { FactVersions } from './messages.ts';
import { isMadeFrom, random, withEntry, type Work } from './work.ts';

/** Two peers compare what they hold this often; the first look at a new connection comes at once. */
export const SYNC_EVERY_MS = 5_000;
/** A peer is asked for missing ops at most so often: one lost frame makes a burst of gaps. */
const ASK_EVERY_MS = 200;
/** Ops a gossip message may carry inline; more than that travels by anti-entropy. */
const GOSSIP_OPS_BYTES_MAX = 12 * 1024;

/** Writes drafts into our own log: durable first, then told to everybody. */
export function appendOwn(work: Work, drafts: readonly OpDraft[]): readonly StoredOp[] {
  const { state, now } = work;
  const { logs, ops, hlc } = appendDrafts(
    state.logs,
    {
      cluster: state.identity.cluster,
      signer: state.identity.signer,
      epoch: state.epoch,
      hlc: state.hlc,
      wall: now.wall,
    },
    drafts,
  );
  state.logs = logs;
  state.hlc = hlc;
  work.effects.push({ tag: 'persist', ops, records: {} });
  foldIn(work, ops);
  const bytes = ops.reduce((sum, op) => sum + op.bytes.length, 0);
  if (bytes <= GOSSIP_OPS_BYTES_MAX) {
    work.effects.push({ tag: 'gossip', message: { t: 'ops', ops: ops.map((op) => op.bytes) } });
  } else {
    for (const peer of state.connected) sendVector(work, peer, false);
  }
  return ops;
}

/** Takes ops that others wrote; what is new and sound is persisted and folded in, a gap is asked for. */
export function ingest(work: Work, from: PeerId, encoded: readonly Uint8Array[]): void {
  const { state, now } = work;
  const decoded: StoredOp[] = [];
  for (const bytes of encoded) {
    try {
      decoded.push(decodeOp(bytes));
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error;
      work.effects.push({ tag: 'alarm', text: 'bad op refused', fields: { from, reason: error.message } });
    }
  }
  const result = acceptOps(state.logs, decoded, state.identity.cluster);
  state.logs = result.logs;
  for (const { id, reason } of result.rejected) {
    work.effects.push({ tag: 'alarm', text: 'op refused', fields: { from, op: id, reason } });
  }
  for (const { author, epoch, seq } of result.equivocations) {
    work.effects.push({
      tag: 'alarm',
      text: 'two ops bear one sequence number',
      fields: { author, epoch, seq },
    });
    if (author === state.self && epoch === state.epoch) beginEpoch(work);
  }
  if (result.gaps.length > 0) askForMissing(work, from);
  if (result.accepted.length === 0) return;
  for (const { op } of result.accepted) state.hlc = adoptHlc(state.hlc, op.hlc, now.wall);
  work.effects.push({ tag: 'persist', ops: result.accepted, records: {} });
  foldIn(work, result.accepted);
  rejoinStranded(work);
}

/** What follows a hole in our store may be nowhere else: once the hole is filled, others can have it from us again. */
function rejoinStranded(work: Work): void {
  const { state } = work;
  if (state.stranded.length === 0) return;
  const logs = restoreOps(state.logs, state.stranded);
  state.logs = logs;
  state.stranded = state.stranded.filter((op) => !holdsOp(logs, op));
}

function foldIn(work: Work, ops: readonly StoredOp[]): void {
  work.state.fold = applyOps(work.state.fold, ops);
  work.replan = true;
}

/**
 * Our log was continued by another copy of this disk, or this disk has lost a part of it: all of it stays, and we go on
 * in a log of our own.
 */
export function beginEpoch(work: Work): void {
  const { state, now } = work;
  const seed = `${state.self}/${state.epoch}/${state.identity.incarnation}/${now.wall}/${random(work)}`;
  state.epoch = base32.baseEncode(createHash('sha256').update(seed).digest()).slice(0, 16) as Epoch;
  work.effects.push({ tag: 'persist', ops: [], records: { epoch: state.epoch } });
}

export function factVersions(work: Work): FactVersions {
  const versions: Record<string, readonly [number, number]> = {
    [work.state.self]: [work.state.own.incarnation, work.state.own.counter],
  };
  for (const [peer, facts] of work.state.facts) versions[peer] = [facts.incarnation, facts.counter];
  return versions;
}

export function sendVector(work: Work, to: PeerId, final: boolean): void {
  const message = {
    t: 'vector',
    vector: vectorOf(work.state.logs),
    facts: factVersions(work),
    final,
  } as const;
  work.effects.push({ tag: 'send', to, message });
}

/** Asks one peer for whatever we lack, not more often than is useful. */
export function askForMissing(work: Work, from: PeerId): void {
  const { state, now } = work;
  if (now.mono - (state.askedAt.get(from) ?? -Infinity) < ASK_EVERY_MS) return;
  state.askedAt = withEntry(state.askedAt, from, now.mono);
  sendVector(work, from, false);
}

/** Sends what a peer lacks by its own account, and asks back when it has what we lack. */
export function answerVector(
  work: Work,
  from: PeerId,
  theirs: Vector,
  facts: FactVersions,
  final: boolean,
): void {
  const { state } = work;
  const mine = vectorOf(state.logs);
  const ranges = rangesMissing(holdingsOf(state.logs), theirs);
  if (ranges.length > 0) work.effects.push({ tag: 'sendOps', to: from, ranges });
  const records = [state.own, ...state.facts.values()].filter((record) => {
    const [incarnation, counter] = facts[record.peer] ?? [-1, -1];
    return (
      record.incarnation > incarnation || (record.incarnation === incarnation && record.counter > counter)
    );
  });
  if (records.length > 0) work.effects.push({ tag: 'send', to: from, message: { t: 'facts', records } });
  if (final) return;
  const ours = factVersions(work);
  const behind = Object.entries(facts).some(([peer, [incarnation, counter]]) => {
    const [i, c] = ours[peer] ?? [-1, -1];
    return incarnation > i || (incarnation === i && counter > c);
  });
  if (behind || rangesMissing(theirs, mine).length > 0) sendVector(work, from, true);
}

/** A hash of all that anti-entropy compares: equal on two peers that have nothing to tell each other. */
export function syncDigest(work: Work): string {
  const { state } = work;
  const from = [state.logs, state.facts, state.own];
  if (!isMadeFrom(state.digest.from, from)) state.digest = { from, text: digestOf(work) };
  return state.digest.text;
}

function digestOf(work: Work): string {
  const sorted = (record: object): [string, unknown][] =>
    Object.entries(record).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const text = JSON.stringify([sorted(vectorOf(work.state.logs)), sorted(factVersions(work))]);
  return createHash('sha256').update(text).digest('base64').slice(0, 22);
}

/** The regular round: one random connected peer. */
export function syncIfDue(work: Work): void {
  const { state, now } = work;
  if (now.mono < state.syncAt) return;
  state.syncAt = now.mono + SYNC_EVERY_MS * (0.5 + random(work));
  const peers = [...state.connected].sort();
  const peer = peers[Math.floor(random(work) * peers.length)];
  if (peer === undefined) return;
  work.effects.push({ tag: 'send', to: peer, message: { t: 'digest', digest: syncDigest(work) } });
}
