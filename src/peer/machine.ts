import { assertNever, type Now, type Step } from '../step.ts';
import { decideMerge, mergeWake } from './merge-part.ts';
import { nextDynoWake } from '../dynos/life.ts';
import { nextMembershipWake } from '../membership/membership.ts';
import { nextPlacementWake } from '../placement/plan.ts';
import { onCommand, onRemoteCommand, onResult, settlePending } from './commands-part.ts';
import { onDyno, place, restartCrashed, stopAll, tickDynos } from './dynos-part.ts';
import { cycleOld } from './cycling-part.ts';
import { loseDynos, lossAt, onRuntime } from './runtime-part.ts';
import { shareDuties } from './duties-part.ts';
import type { PeerEffect } from './effects.ts';
import type { PeerEvent } from './events.ts';
import { onFacts, publishIfDue } from './facts-part.ts';
import { answerVector, askForMissing, ingest, syncDigest, syncIfDue } from './ledger-part.ts';
import { detect, followMembers, isMember, onConnected, onDisconnected } from './membership-part.ts';
import type { GossipMessage, PeerMessage } from './messages.ts';
import { parseGossip, parsePeerMessage, type ParsedMessage } from './parse-message.ts';
import type { PeerId } from '../ids.ts';
import { moveReleases, releaseWake } from './release-part.ts';
import type { PeerState } from './state.ts';
import { beginWork, isMadeFrom, type Work } from './work.ts';

/**
 * The whole peer as one function: what happened, and when, gives the next state and what the shell must do, in
 * order. Nothing here waits, reads a clock or rolls a die, so a thousand peers can be run from one seed.
 */
export function stepPeer(state: PeerState, event: PeerEvent, now: Now): Step<PeerState, PeerEffect> {
  const work = beginWork(state, now);
  take(work, event);
  settle(work);
  return { state: work.state, effects: work.effects };
}

function take(work: Work, event: PeerEvent): void {
  const { state } = work;
  switch (event.tag) {
    case 'wake':
      break;
    case 'connected':
      onConnected(work, event.peer);
      break;
    case 'disconnected':
      onDisconnected(work, event.peer);
      break;
    case 'message':
      // A removed peer may still have frames on the way: it is not heard any more.
      if (isMember(work, event.from)) {
        hear(work, event.from, parsePeerMessage(event.message), onMessage);
      }
      break;
    case 'gossip':
      if (isMember(work, event.from)) hear(work, event.from, parseGossip(event.message), onGossip);
      break;
    case 'ports':
      detect(work, event);
      break;
    case 'command':
      onCommand(work, event.id, event.command, event.context);
      break;
    case 'dyno':
      onDyno(work, event.dyno, event.event);
      break;
    case 'blobs':
      state.blobs = event.held;
      work.replan = true;
      break;
    case 'oneOffs':
      state.oneOffs = event.list;
      state.tookOneOffs = event.took;
      break;
    case 'load':
      state.load = event.load;
      break;
    case 'lag':
      detect(work, event);
      break;
    case 'storage':
      state.storage = event.error;
      break;
    case 'runtime':
      onRuntime(work, event.on, event.reason);
      break;
    case 'draining':
      state.draining = event.on;
      work.replan = true;
      break;
    case 'stopAll':
      stopAll(work);
      break;
    case 'leave':
      detect(work, event);
      break;
    default:
      assertNever(event);
  }
}

/** What another peer says is what it is made to say: nothing of it is trusted before it was parsed. */
function hear<Message>(
  work: Work,
  from: PeerId,
  parsed: ParsedMessage<Message>,
  onMessage: (work: Work, from: PeerId, message: Message) => void,
): void {
  if (parsed.tag === 'message') onMessage(work, from, parsed.message);
  // A newer peer may say what we do not know yet: that is no reason for alarm.
  else if (parsed.tag === 'broken')
    work.effects.push({ tag: 'alarm', text: 'message refused', fields: { from, reason: parsed.reason } });
}

function onGossip(work: Work, from: PeerId, message: GossipMessage): void {
  if (message.t === 'ops') ingest(work, from, message.ops);
  else onFacts(work, [message.record]);
}

function onMessage(work: Work, from: PeerId, message: PeerMessage): void {
  switch (message.t) {
    case 'swim':
      detect(work, { tag: 'message', from, message: message.message });
      break;
    case 'digest':
      if (message.digest !== syncDigest(work)) askForMissing(work, from);
      break;
    case 'vector':
      answerVector(work, from, message.vector, message.facts, message.final);
      break;
    case 'ops':
      ingest(work, from, message.ops);
      break;
    case 'facts':
      onFacts(work, message.records);
      break;
    case 'command':
      onRemoteCommand(work, from, message);
      break;
    case 'result':
      onResult(work, from, message.id, message.result, message.vector);
      break;
    default:
      assertNever(message);
  }
}

/** What follows from the event, and from the time that has passed. */
function settle(work: Work): void {
  const { state, now } = work;
  followMembers(work);
  if (now.mono >= nextMembershipWake(state.membership)) detect(work, { tag: 'tick' });
  settlePending(work);
  decideMerge(work);
  moveReleases(work);
  // A write that was waiting may have been about a member.
  followMembers(work);
  tickDynos(work);
  restartCrashed(work);
  cycleOld(work);
  loseDynos(work);
  if (work.replan || now.mono >= Math.min(nextPlacementWake(state.placement), state.placeFrom ?? Infinity))
    place(work);
  shareDuties(work);
  syncIfDue(work);
  publishIfDue(work);
  noticeRoutes(work);
}

/** Says so when something that the route table is made of has changed. */
function noticeRoutes(work: Work): void {
  const { state } = work;
  const from = [state.fold.view, state.facts, state.dynos, state.verdictChanges];
  if (isMadeFrom(state.routesFrom, from)) return;
  state.routesFrom = from;
  work.effects.push({ tag: 'routes' });
}

/** The next moment (mono ms) at which this peer wants a `wake`. */
export function nextWake(state: PeerState): number {
  let wake = Math.min(
    nextMembershipWake(state.membership),
    nextPlacementWake(state.placement),
    state.syncAt,
    state.publishAt ?? Infinity,
    state.placeFrom ?? Infinity,
    mergeWake(state),
    releaseWake(state),
    lossAt(state),
    state.cycleAt,
  );
  for (const life of state.dynos.values()) {
    // A crashed dyno waits for its runtime, not for the clock.
    if (life.state.tag === 'crashed' && state.runtimeDown !== null) continue;
    wake = Math.min(wake, nextDynoWake(life));
  }
  for (const pending of state.pending.values()) wake = Math.min(wake, pending.deadline);
  return wake;
}
