import { PlatformError } from '../errors.ts';
import type { DynoFact, DynoPhase, OneOffFact } from '../facts.ts';
import type { DynoId, PeerId, ReleaseId } from '../ids.ts';
import type { App } from '../ledger/apps/app-types.ts';
import type { View } from '../ledger/view.ts';
import type { PeerStatus } from '../shell/host.ts';
import { appRef } from './app.ts';
import type { AppRef } from './app.ts';
import { DEFAULT_SIZE } from '../dyno-sizes.ts';
import { releaseUuid } from './ids.ts';
import { isoTime } from './time.ts';
import { peerRef } from './peer-names.ts';

export type DynoResource = {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly command: string;
  readonly size: string;
  readonly state: string;
  readonly app: AppRef;
  readonly release: { readonly id: string; readonly version: number };
  readonly attach_url: string | null;
  /** Ours: the machine that runs it. */
  readonly peer: { readonly id: string; readonly name: string };
  readonly created_at: string;
  readonly updated_at: string;
};

/** One dyno of the app that some live peer says it runs. */
export type RunningDyno = {
  readonly dyno: DynoId;
  readonly name: string;
  readonly type: string;
  /** Null for a one-off. */
  readonly index: number | null;
  readonly command: string;
  readonly size: string | null;
  readonly state: string;
  readonly release: ReleaseId;
  readonly since: number;
  readonly peer: PeerId;
};

// Heroku's clients know `starting`, `up`, `crashed`, `idle` and `down`; others they print as they are.
const STATES: Readonly<Record<DynoPhase, string>> = {
  fetching: 'starting',
  starting: 'starting',
  up: 'up',
  draining: 'stopping',
  stopping: 'stopping',
  crashed: 'crashed',
};

/** All dynos of an app, by type and number. A dead peer's facts do not count; one that cannot be reached may still run them. */
export function runningDynos(app: App, peers: readonly PeerStatus[]): readonly RunningDyno[] {
  const found: RunningDyno[] = [];
  for (const { peer, verdict, facts } of peers) {
    if (facts === null || verdict === 'down' || verdict === 'gone') continue;
    for (const fact of facts.dynos) if (fact.app === app.id) found.push(fromDyno(peer, fact));
    for (const fact of facts.oneOffs) if (fact.app === app.id) found.push(fromOneOff(peer, fact));
  }
  return found.sort(
    (a, b) =>
      compare(a.type, b.type) ||
      (a.index ?? 0) - (b.index ?? 0) ||
      compare(a.name, b.name) ||
      a.since - b.since ||
      compare(a.dyno, b.dyno),
  );
}

export function dynoResource(
  view: View,
  app: App,
  dyno: RunningDyno,
  attachUrl: string | null = null,
): DynoResource {
  return {
    id: dyno.dyno,
    name: dyno.name,
    type: dyno.type,
    command: dyno.command,
    size: dyno.size ?? DEFAULT_SIZE.name,
    state: dyno.state,
    app: appRef(app),
    release: { id: releaseUuid(dyno.release), version: app.releases.get(dyno.release)?.number ?? 0 },
    attach_url: attachUrl,
    peer: peerRef(view, dyno.peer),
    created_at: isoTime(dyno.since),
    updated_at: isoTime(dyno.since),
  };
}

/** Dynos named by id, or by name: a name has two while one replaces the other, the newest last. */
export function findDynos(dynos: readonly RunningDyno[], idOrName: string): readonly RunningDyno[] {
  return dynos.filter((dyno) => dyno.dyno === idOrName || dyno.name === idOrName);
}

export function dynoNotFound(app: App, idOrName: string): PlatformError {
  return new PlatformError('not_found', `Couldn't find the dyno "${idOrName}" of "${app.name}".`, {
    resource: 'dyno',
    hint: 'See `kith ps` for those that run',
  });
}

function fromDyno(peer: PeerId, fact: DynoFact): RunningDyno {
  const { dyno, type, index, command, size, release, since } = fact;
  const state = STATES[fact.phase];
  return { dyno, name: `${type}.${index}`, type, index, command, size, state, release, since, peer };
}

function fromOneOff(peer: PeerId, fact: OneOffFact): RunningDyno {
  const { dyno, name, command, size, release, since } = fact;
  const type = name.slice(0, name.lastIndexOf('.'));
  return { dyno, name, type, index: null, command, size, state: fact.phase, release, since, peer };
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
