import type { DynoPhase } from '../facts.ts';
import type { DynoAddress, FoundDyno } from '../shell/runtime.ts';
import type { Now } from '../step.ts';
import { assertNever } from '../step.ts';
import { CRASHES_FORGIVEN_MS, restartDelayMs } from './back-off.ts';
import { exitStatus } from './exit-status.ts';
import { R10, R10_OPEN, R10_WEB, R12, R15, R99 } from './error-lines.ts';
import type { LifeStep } from './life-step.ts';
import { enter, log, signal, stay } from './life-step.ts';
import {
  BOOT_TIMEOUT_MS,
  DRAIN_MS_MIN,
  DRAIN_TIMEOUT_MS,
  EXIT_TIMEOUT_MS,
  FETCH_TIMEOUT_MS,
  KILL_AGAIN_MS,
} from './timeouts.ts';
import type { DynoEffect, DynoEvent, DynoLife, DynoState } from './types.ts';

/** What is said of a dyno that the kernel ended because it used twice its quota. */
const MEMORY_KILLED: readonly DynoEffect[] = [log(R15), log('Stopping process with SIGKILL')];

/** A new dyno for a slot: its slug is made ready first. `crashes`: those that came just before this start. */
export function beginLife(
  start: Pick<DynoLife, 'dyno' | 'slot' | 'claimedAt' | 'crashes'>,
  now: Now,
): LifeStep {
  const state: DynoState = { tag: 'fetching', deadline: now.mono + FETCH_TIMEOUT_MS };
  const fresh = { since: now.wall, launchedAt: now, isCycling: false, address: null, state };
  return { state: { ...start, ...fresh }, effects: [{ tag: 'fetchSlug' }] };
}

/** A dyno that outlived the agent: up when it listens (or need not), booting when it does not yet, or crashed meanwhile. */
export function adoptLife(
  found: Pick<DynoLife, 'dyno' | 'slot' | 'claimedAt' | 'crashes' | 'address'> & {
    readonly listening: boolean;
    readonly exited: FoundDyno['exited'];
    /** Wall ms of its launch, as its labels tell; null when they do not. */
    readonly launchedAt: number | null;
  },
  now: Now,
): LifeStep {
  const { dyno, slot, claimedAt, crashes, address } = found;
  // A clock that was set back since must not make it younger than this agent.
  const ageMs = Math.max(0, now.wall - (found.launchedAt ?? now.wall));
  const launchedAt = { mono: now.mono - ageMs, wall: now.wall - ageMs };
  const isUp = found.listening || !slot.listens;
  const state: DynoState = isUp
    ? { tag: 'up', at: launchedAt.mono }
    : { tag: 'starting', deadline: now.mono + BOOT_TIMEOUT_MS };
  const since = isUp ? launchedAt.wall : now.wall;
  const life = { dyno, slot, claimedAt, crashes, address, since, launchedAt, isCycling: false, state };
  return found.exited === null ? stay(life) : stepDyno(life, { tag: 'exited', ...found.exited }, now);
}

/**
 * One dyno's life: fetching, starting, up, draining, stopping, gone; a dyno that ends by itself is `crashed` until the
 * shell starts another in its place (`wantsRestart`). Invariant: nothing leaves `gone`, and `crashed` leads only there.
 */
export function stepDyno(life: DynoLife, event: DynoEvent, now: Now): LifeStep {
  switch (event.tag) {
    case 'slug':
      return onSlug(life, event, now);
    case 'started':
      return onStarted(life, event.address, now);
    case 'ready':
      return life.state.tag === 'starting' ? onReady(life, event.address, now) : stay(life);
    case 'exited':
      return onExited(life, event, now);
    case 'failed':
      return onFailed(life, event.reason, now);
    case 'stop':
      return onStop(life, now);
    case 'cycle':
      return onCycle(life);
    case 'drained':
      return onDrained(life, now);
    case 'tick':
      return onTick(life, now);
    default:
      return assertNever(event);
  }
}

/** When a tick is next due, mono ms; Infinity when only an event can change anything. */
export function nextDynoWake(life: DynoLife): number {
  switch (life.state.tag) {
    case 'fetching':
    case 'starting':
    case 'draining':
      return life.state.deadline;
    case 'stopping':
      return life.state.killAt;
    case 'crashed':
      return life.state.retryAt;
    case 'up':
    case 'gone':
      return Infinity;
    default:
      return assertNever(life.state);
  }
}

/** True when a crashed dyno has rested: the shell begins a new life, with a new id and these `crashes`, in its place. */
export function wantsRestart(life: DynoLife, now: Now): boolean {
  return life.state.tag === 'crashed' && now.mono >= life.state.retryAt;
}

/** What others see of it. A dyno that is gone is forgotten; until then it is still stopping. */
export function phaseOf(life: DynoLife): DynoPhase {
  return life.state.tag === 'gone' ? 'stopping' : life.state.tag;
}

function onSlug(life: DynoLife, event: { ok: boolean; reason?: string }, now: Now): LifeStep {
  if (life.state.tag !== 'fetching') return stay(life);
  if (!event.ok) return onFailed(life, event.reason ?? 'its slug could not be fetched', now);
  const launched = { ...life, launchedAt: now };
  return enter(launched, { tag: 'starting', deadline: now.mono + BOOT_TIMEOUT_MS }, now, [
    log(`Starting process with command \`${life.slot.command}\``),
    { tag: 'start' },
  ]);
}

function onStarted(life: DynoLife, address: DynoAddress | null, now: Now): LifeStep {
  const placed = { ...life, address };
  // R10 counts from the launch, not from the unpacking of the slug.
  if (life.state.tag === 'starting') {
    return stay({ ...placed, state: { tag: 'starting', deadline: now.mono + BOOT_TIMEOUT_MS } });
  }
  // It was told to go before there was anything to tell.
  if (life.state.tag === 'stopping') return stay(placed, [signal(life.state.killed ? 'SIGKILL' : 'SIGTERM')]);
  if (life.state.tag === 'crashed' || life.state.tag === 'gone') return stay(placed, [signal('SIGKILL')]);
  return stay(placed);
}

/** Only who listens has an address: of any other, runtimes say that it is ready once it has lived for a moment. */
function onReady(life: DynoLife, address: DynoAddress, now: Now): LifeStep {
  return toUp(life.slot.listens ? { ...life, address } : life, now);
}

function toUp(life: DynoLife, now: Now): LifeStep {
  return enter(life, { tag: 'up', at: now.mono }, now, [log('State changed from starting to up')]);
}

function onExited(life: DynoLife, end: DynoEvent & { tag: 'exited' }, now: Now): LifeStep {
  const exited = log(`Process exited with status ${exitStatus(end.status, end.signal)}`);
  switch (life.state.tag) {
    case 'fetching':
    case 'gone':
      return stay(life);
    case 'starting':
    case 'up':
      return crash(life, now, [...(end.outOfMemory ? MEMORY_KILLED : []), exited]);
    case 'draining':
    case 'stopping':
      return enter(life, { tag: 'gone' }, now, [exited]);
    case 'crashed':
      return stay(life, [exited]);
    default:
      return assertNever(life.state);
  }
}

function onFailed(life: DynoLife, reason: string, now: Now): LifeStep {
  switch (life.state.tag) {
    case 'fetching':
    case 'starting':
      return crash(life, now, [log(R99(reason))]);
    case 'draining':
    case 'stopping':
      return enter(life, { tag: 'gone' }, now);
    case 'up':
    case 'crashed':
    case 'gone':
      return stay(life);
    default:
      return assertNever(life.state);
  }
}

function onStop(life: DynoLife, now: Now): LifeStep {
  switch (life.state.tag) {
    case 'fetching':
    case 'crashed':
      return enter(life, { tag: 'gone' }, now);
    case 'starting':
      return terminate(life, now);
    case 'up':
      return life.slot.listens ? leaveRoutes(life, now) : terminate(life, now);
    case 'draining':
    case 'stopping':
    case 'gone':
      return stay(life);
    default:
      return assertNever(life.state);
  }
}

/** A request ends; a connection to an internal port may last for ever: who has one is told of its end at once. */
function leaveRoutes(life: DynoLife, now: Now): LifeStep {
  if (life.slot.type !== 'web') {
    return enter(life, { tag: 'draining', deadline: now.mono + DRAIN_MS_MIN }, now);
  }
  return enter(life, { tag: 'draining', deadline: now.mono + DRAIN_TIMEOUT_MS }, now, [{ tag: 'drain' }]);
}

/** Only a dyno that serves is replaced for its age; the rest of its end is a stop like any other. */
function onCycle(life: DynoLife): LifeStep {
  if (life.state.tag !== 'up' || life.isCycling) return stay(life);
  return stay({ ...life, isCycling: true }, [log('Cycling')]);
}

function onDrained(life: DynoLife, now: Now): LifeStep {
  if (life.state.tag !== 'draining') return stay(life);
  // The wait was cut short before, or ends about now.
  if (life.state.deadline - now.mono <= DRAIN_MS_MIN) return stay(life);
  const earliest = life.state.deadline - DRAIN_TIMEOUT_MS + DRAIN_MS_MIN;
  if (now.mono >= earliest) return terminate(life, now);
  return stay({ ...life, state: { tag: 'draining', deadline: earliest } });
}

function onTick(life: DynoLife, now: Now): LifeStep {
  if (now.mono < nextDynoWake(life)) return stay(life);
  switch (life.state.tag) {
    case 'fetching':
      return onFailed(life, `its slug could not be fetched within ${FETCH_TIMEOUT_MS / 1_000} seconds`, now);
    case 'starting':
      return crash(life, now, [
        log(bootTimeout(life.slot)),
        log('Stopping process with SIGKILL'),
        signal('SIGKILL'),
      ]);
    case 'draining':
      return terminate(life, now);
    case 'stopping':
      return kill(life, life.state.killed, now);
    case 'up':
    case 'crashed':
    case 'gone':
      return stay(life);
    default:
      return assertNever(life.state);
  }
}

function terminate(life: DynoLife, now: Now): LifeStep {
  return enter(life, { tag: 'stopping', killAt: now.mono + EXIT_TIMEOUT_MS, killed: false }, now, [
    log('Stopping all processes with SIGTERM'),
    signal('SIGTERM'),
  ]);
}

function kill(life: DynoLife, again: boolean, now: Now): LifeStep {
  const said = [log(R12), log('Stopping remaining processes with SIGKILL')];
  const state: DynoState = { tag: 'stopping', killAt: now.mono + KILL_AGAIN_MS, killed: true };
  return stay({ ...life, state }, [...(again ? [] : said), signal('SIGKILL')]);
}

/** Any end that nobody asked for is a crash, status 0 included. */
function crash(life: DynoLife, now: Now, effects: readonly DynoEffect[]): LifeStep {
  const forgiven = life.state.tag === 'up' && now.mono - life.state.at >= CRASHES_FORGIVEN_MS;
  const crashes = (forgiven ? 0 : life.crashes) + 1;
  const from = life.state.tag === 'up' ? 'up' : 'starting';
  return enter(
    { ...life, crashes },
    { tag: 'crashed', retryAt: now.mono + restartDelayMs(crashes, life.dyno) },
    now,
    [...effects, log(`State changed from ${from} to crashed`)],
  );
}

function bootTimeout({ type, listens }: DynoLife['slot']): string {
  if (type === 'web') return R10_WEB;
  return listens ? R10_OPEN : R10;
}
