import { PlatformError, type ErrorRecord } from '../errors.ts';
import type { OpId, PeerId } from '../ids.ts';
import { rangesMissing, vectorOf, type Vector } from '../ledger/author-logs.ts';
import type { Command, CommandContext, CommandResult } from '../ledger/command.ts';
import { decide } from '../ledger/decide.ts';
import { homeKey, rendezvousOrder } from '../ledger/home.ts';
import { verdictOf } from '../membership/membership.ts';
import { appendOwn, askForMissing } from './ledger-part.ts';
import type { PendingCommand } from './state.ts';
import { withEntry, withoutEntry, type Work } from './work.ts';

/** A home that has not answered by then is passed over: the write is made without it. */
const HOME_ANSWER_MS = 3_000;
/** How long a home waits for ops that the asker had seen. */
const HELD_MS = 2_000;
/** How long the asker waits for the ops of a write that the home has acknowledged. */
const CATCH_UP_MS = 5_000;
const ATTEMPTS_MAX = 2;
/** Writes that may wait here at once. */
const PENDING_MAX = 1_000;
const TOO_MANY: ErrorRecord = {
  code: 'unavailable',
  message: 'Cannot write: too many writes wait at this peer',
  hint: 'Try again in a moment',
};

/** A write asked of this peer: made here if we are its home (or it has none), else by the home. */
export function onCommand(work: Work, id: string, command: Command, context: CommandContext): void {
  const error = refusal(work);
  if (error === null) route(work, id, command, context, 0);
  else answer(work, id, { ok: false, error });
}

/** Why this peer takes no writes now, if it takes none. */
function refusal({ state }: Work): ErrorRecord | null {
  if (state.storage !== null) return state.storage;
  if (state.fold.view.members.get(state.self)?.state !== 'removed') return null;
  return {
    code: 'forbidden',
    message: 'Cannot write: this peer was removed from its cluster',
    hint: 'Ask a member; to join again, start this agent with an empty data directory',
  };
}

function route(work: Work, id: string, command: Command, context: CommandContext, attempt: number): void {
  const home = attempt >= ATTEMPTS_MAX ? work.state.self : homeOf(work, command);
  if (home === work.state.self) {
    answer(work, id, write(work, command, context));
    return;
  }
  const vector = vectorOf(work.state.logs);
  work.effects.push({ tag: 'send', to: home, message: { t: 'command', id, command, context, vector } });
  const deadline = work.now.mono + HOME_ANSWER_MS;
  setPending(work, { tag: 'sent', id, command, context, home, deadline, attempt });
}

/** The first live peer in rendezvous order: where concurrent writers of one thing meet. */
export function homeOf(work: Work, command: Command): PeerId {
  const { state } = work;
  const key = homeKey(state.fold.view, command);
  return key === null ? state.self : homeOfKey(work, key);
}

/** @param without peers that are passed over, unless there are no others */
export function homeOfKey(work: Work, key: string, without: ReadonlySet<PeerId> = new Set()): PeerId {
  const { state } = work;
  const live = [...state.fold.view.members.values()]
    .filter((member) => member.state === 'member')
    .map((member) => member.peer)
    .filter((peer) => peer === state.self || isReachable(work, peer));
  const able = live.filter((peer) => !without.has(peer));
  return rendezvousOrder(key, able.length > 0 ? able : live)[0] ?? state.self;
}

function isReachable(work: Work, peer: PeerId): boolean {
  return work.state.connected.has(peer) && verdictOf(work.state.membership, peer) === 'alive';
}

/** Decides and, where that says so, writes. The result names the ops that hold it. */
export function write(work: Work, command: Command, context: CommandContext): CommandResult {
  const decision = decide(work.state.fold, work.state.logs, command, context);
  if (!decision.ok) return decision;
  if (decision.repeats !== null) return { ok: true, ops: [decision.repeats] };
  if (decision.drafts.length === 0) return { ok: true, ops: [] };
  try {
    return { ok: true, ops: appendOwn(work, decision.drafts).map((op) => op.id) };
  } catch (error) {
    // Too large for an op: nothing of it has been made.
    if (error instanceof PlatformError) return { ok: false, error: error.toRecord() };
    throw error;
  }
}

/** Another peer takes us for the home of this write. We are as good as any; but we decide on no less than it knows. */
export function onRemoteCommand(
  work: Work,
  from: PeerId,
  message: { id: string; command: Command; context: CommandContext; vector: Vector },
): void {
  const { id, command, context, vector } = message;
  const error = work.state.storage ?? (work.state.pending.size >= PENDING_MAX ? TOO_MANY : null);
  if (error !== null) {
    const result = { ok: false, error } as const;
    work.effects.push({
      tag: 'send',
      to: from,
      message: { t: 'result', id, result, vector: vectorOf(work.state.logs) },
    });
    return;
  }
  if (lacks(work, vector)) {
    const deadline = work.now.mono + HELD_MS;
    setPending(work, { tag: 'held', id, command, context, asker: from, vector, deadline, attempt: 0 });
    askForMissing(work, from);
    return;
  }
  serve(work, from, id, command, context, vector);
}

function serve(
  work: Work,
  asker: PeerId,
  id: string,
  command: Command,
  context: CommandContext,
  seen: Vector,
): void {
  const result = writeFor(work, asker, command, context);
  const vector = vectorOf(work.state.logs);
  const ranges = rangesMissing(vector, seen);
  if (ranges.length > 0) work.effects.push({ tag: 'sendOps', to: asker, ranges });
  work.effects.push({ tag: 'send', to: asker, message: { t: 'result', id, result, vector } });
}

/** A write in another peer's words. If they make no sense to us, the asker hears so and nothing has happened. */
function writeFor(work: Work, asker: PeerId, command: Command, context: CommandContext): CommandResult {
  const { effects } = work;
  const [state, count] = [{ ...work.state }, effects.length];
  try {
    return write(work, command, context);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    Object.assign(work.state, state);
    effects.length = count;
    effects.push({ tag: 'alarm', text: 'command refused', fields: { from: asker, reason } });
    const message = `This peer does not understand the write "${command.type}"`;
    return { ok: false, error: { code: 'invalid_params', message } };
  }
}

export function onResult(work: Work, from: PeerId, id: string, result: CommandResult, vector: Vector): void {
  const pending = work.state.pending.get(id);
  if (pending === undefined || pending.tag !== 'sent' || pending.home !== from) return;
  const { command, context, home, attempt } = pending;
  if (!result.ok) {
    forget(work, pending);
    // A home whose disk is full is passed over like one that is away.
    if (result.error.code === 'disk_full') route(work, id, command, context, ATTEMPTS_MAX);
    else answer(work, id, result);
    return;
  }
  const deadline = work.now.mono + CATCH_UP_MS;
  setPending(work, {
    tag: 'catching-up',
    id,
    command,
    context,
    home,
    attempt,
    deadline,
    until: vector,
    ops: result.ops,
  });
}

/** Moves every waiting write on whose moment has come: ops arrived, the home went away, or time is up. */
export function settlePending(work: Work): void {
  for (const pending of work.state.pending.values()) {
    const isLate = work.now.mono >= pending.deadline;
    if (pending.tag === 'sent') {
      if (isLate || !isReachable(work, pending.home)) retry(work, pending);
    } else if (pending.tag === 'held') {
      if (isLate || !lacks(work, pending.vector)) {
        forget(work, pending);
        serve(work, pending.asker, pending.id, pending.command, pending.context, pending.vector);
      }
    } else if (holdsAll(work, pending)) {
      forget(work, pending);
      answer(work, pending.id, { ok: true, ops: pending.ops as readonly OpId[] });
    } else if (isLate) {
      forget(work, pending);
      answer(work, pending.id, lateResult(pending));
    } else {
      askForMissing(work, pending.home);
    }
  }
}

function retry(work: Work, pending: PendingCommand): void {
  forget(work, pending);
  route(work, pending.id, pending.command, pending.context, pending.attempt + 1);
}

function lateResult(pending: PendingCommand): CommandResult {
  const message = `The write "${pending.command.type}" was made, but has not reached this peer yet`;
  return {
    ok: false,
    error: { code: 'timeout', message, hint: 'Look again in a moment, or repeat the command' },
  };
}

export function lacks(work: Work, vector: Vector): boolean {
  return rangesMissing(vector, vectorOf(work.state.logs)).length > 0;
}

type CatchingUp = Extract<PendingCommand, { tag: 'catching-up' }>;

/**
 * All that the home had, and the write itself: an op that repeats a request may lie behind a hole in the home's own store, and then
 * its vector does not tell of it.
 */
function holdsAll(work: Work, { until, ops }: CatchingUp): boolean {
  const { known } = work.state.fold.graph;
  return !lacks(work, until) && ops.every((op) => known.has(op as OpId));
}

function answer(work: Work, id: string, result: CommandResult): void {
  work.effects.push({ tag: 'answer', id, result });
}

function setPending(work: Work, pending: PendingCommand): void {
  work.state.pending = withEntry(work.state.pending, keyOf(pending), pending);
}

function forget(work: Work, pending: PendingCommand): void {
  work.state.pending = withoutEntry(work.state.pending, keyOf(pending));
}

/** Ids are their asker's own: two askers may use the same one. */
function keyOf(pending: PendingCommand): string {
  return pending.tag === 'held' ? `${pending.asker} ${pending.id}` : pending.id;
}
