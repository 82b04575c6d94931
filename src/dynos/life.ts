import type { DynoPhase } from '../facts.ts';
import type { Now } from '../step.ts';
import { assertNever } from '../step.ts';
import { CRASHES_FORGIVEN_MS, restartDelayMs } from './back-off.ts';
import { exitStatus } from './exit-status.ts';
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

/** A new dyno for a slot: its slug is made ready first. `crashes`: those that came just before this start. */
export function beginLife(
  start: Pick<DynoLife, 'dyno' | 'slot' | 'claimedAt' | 'crashes'>,
  now: Now,
): LifeStep {
  const state: DynoState = { tag: 'fetching', deadline: now.mono + FETCH_TIMEOUT_MS };
  return { state: { ...start, since: now.wall, port: null, state }, effects: [{ tag: 'fetchSlug' }] };
}

/** A dyno that outlived the agent: up when it listens (or need not), booting when it does not yet, or crashed meanwhile. */
export function adoptLife(
  found: Pick<DynoLife, 'dyno' | 'slot' | 'claimedAt' | 'crashes' | 'port'> & {
    readonly listening: boolean;
    readonly exited: null | { readonly status: number | null; readonly signal: string | null };
  },
  now: Now,
): LifeStep {
  const { dyno, slot, claimedAt, crashes, port } = found;
  const isUp = found.listening || !isWeb(slot);
  const state: DynoState = isUp
    ? { tag: 'up', at: now.mono }
    : { tag: 'starting', deadline: now.mono + BOOT_TIMEOUT_MS };
  const life: DynoLife = { dyno, slot, claimedAt, crashes, port, since: now.wall, state };
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
      return onStarted(life, event.port, now);
    case 'ready':
      return life.state.tag === 'starting' ? toUp(life, now) : stay(life);
    case 'exited':
      return onExited(life, exitStatus(event.status, event.signal), now);
    case 'failed':
      return onFailed(life, event.reason, now);
    case 'stop':
      return onStop(life, now);
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
  return enter(life, { tag: 'starting', deadline: now.mono + BOOT_TIMEOUT_MS }, now, [
    log(`Starting process with command \`${life.slot.command}\``),
    { tag: 'start' },
  ]);
}

function onStarted(life: DynoLife, port: number | null, now: Now): LifeStep {
  const placed = { ...life, port };
  // R10 counts from the launch, not from the unpacking of the slug.
  if (life.state.tag === 'starting') {
    return stay({ ...placed, state: { tag: 'starting', deadline: now.mono + BOOT_TIMEOUT_MS } });
  }
  // It was told to go before there was anything to tell.
  if (life.state.tag === 'stopping') return stay(placed, [signal(life.state.killed ? 'SIGKILL' : 'SIGTERM')]);
  if (life.state.tag === 'crashed' || life.state.tag === 'gone') return stay(placed, [signal('SIGKILL')]);
  return stay(placed);
}

function toUp(life: DynoLife, now: Now): LifeStep {
  return enter(life, { tag: 'up', at: now.mono }, now, [log('State changed from starting to up')]);
}

function onExited(life: DynoLife, status: number, now: Now): LifeStep {
  const exited = log(`Process exited with status ${status}`);
  switch (life.state.tag) {
    case 'fetching':
    case 'gone':
      return stay(life);
    case 'starting':
    case 'up':
      return crash(life, now, [exited]);
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
      return crash(life, now, [log(`Error R99 (Platform error) -> Failed to launch the dyno: ${reason}`)]);
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
      if (!isWeb(life.slot)) return terminate(life, now);
      return enter(life, { tag: 'draining', deadline: now.mono + DRAIN_TIMEOUT_MS }, now, [{ tag: 'drain' }]);
    case 'draining':
    case 'stopping':
    case 'gone':
      return stay(life);
    default:
      return assertNever(life.state);
  }
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
        log(bootTimeoutText(life)),
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
  const said = [
    log('Error R12 (Exit timeout) -> At least one process failed to exit within 30 seconds of SIGTERM'),
    log('Stopping remaining processes with SIGKILL'),
  ];
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

function bootTimeoutText(life: DynoLife): string {
  return isWeb(life.slot)
    ? 'Error R10 (Boot timeout) -> Web process failed to bind to $PORT within 60 seconds of launch'
    : 'Error R10 (Boot timeout) -> Process failed to start within 60 seconds of launch';
}

function isWeb(slot: DynoLife['slot']): boolean {
  return slot.type === 'web';
}
