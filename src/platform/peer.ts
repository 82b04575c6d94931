import { PlatformError } from '../errors.ts';
import type { PeerFacts, Verdict } from '../facts.ts';
import type { PeerId } from '../ids.ts';
import type { Member } from '../ledger/cluster/cluster-types.ts';
import type { View } from '../ledger/view.ts';
import { volumesAt } from '../ledger/volumes/volumes-at.ts';
import type { PeerStatus } from '../shell/host.ts';
import { sizeOf } from '../dyno-sizes.ts';
import { isBareName, peerRef } from './peer-names.ts';
import { isoTime } from './time.ts';

/** A member as `kith peers` shows it. What only the peer itself can tell is null while nothing was heard of it. */
export type PeerResource = {
  readonly id: string;
  readonly name: string;
  /** The peer that answers. */
  readonly self: boolean;
  readonly state: Verdict | 'unknown';
  readonly version: string | null;
  readonly arch: string | null;
  readonly runtime: string | null;
  readonly isolation: string | null;
  /** Why no dyno can be started there now; null while one can. */
  readonly runtime_down: string | null;
  readonly addresses: {
    readonly mesh: readonly string[];
    readonly api: string | null;
    readonly http: string | null;
  };
  /** 1-minute load average. */
  readonly load: number | null;
  readonly cpus: number | null;
  readonly memory_mib: number | null;
  /** What its dynos may take, by their sizes. */
  readonly memory_used_mib: number | null;
  /** How many it runs, one-offs included. */
  readonly dynos: number;
  /** Those of its dynos that no other peer can take over, as their volume is here. */
  readonly staying: readonly { readonly app: string; readonly dyno: string; readonly volume: string }[];
  /** What is lost with it. */
  readonly volumes: readonly { readonly app: string; readonly name: string }[];
  readonly draining: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** When it became a member. */
  readonly since: string;
};

/** All members by name. */
export function peerResources(
  view: View,
  statuses: readonly PeerStatus[],
  self: PeerId,
): readonly PeerResource[] {
  const byPeer = new Map(statuses.map((status) => [status.peer, status]));
  return [...view.members.values()]
    .filter((member) => member.state === 'member')
    .map((member) => peerResource(view, member, byPeer.get(member.peer), self))
    .sort((a, b) => (a.name === b.name ? (a.id < b.id ? -1 : 1) : a.name < b.name ? -1 : 1));
}

/**
 * The member named by id, by its name as it is shown, or by a start or end of its id that no other has; `~` is this peer.
 * @throws PlatformError `not_found`, or `invalid_params` where several fit
 */
export function mustFindPeer(peers: readonly PeerResource[], name: string): PeerResource {
  const exact = peers.filter((peer) => peer.id === name || peer.name === name || (name === '~' && peer.self));
  const fitting =
    exact.length > 0
      ? exact
      : peers.filter((peer) => peer.id.startsWith(name) || peer.id.endsWith(name) || isBareName(name, peer));
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only;
  if (only === undefined) {
    throw new PlatformError('not_found', `Couldn't find the peer "${name}".`, {
      resource: 'peer',
      hint: 'See `kith peers` for those there are',
    });
  }
  throw new PlatformError('invalid_params', `"${name}" could be ${fitting.length} peers`, {
    hint: `Name one by its id: ${fitting.map((peer) => peer.id).join(', ')}`,
  });
}

function peerResource(
  view: View,
  member: Member,
  status: PeerStatus | undefined,
  self: PeerId,
): PeerResource {
  const facts = status?.facts ?? null;
  const volumes = volumesAt(view, member.peer);
  return {
    id: member.peer,
    name: facts === null || facts.name === member.name ? peerRef(view, member.peer).name : facts.name,
    self: member.peer === self,
    state: status?.verdict ?? (member.peer === self ? 'alive' : 'unknown'),
    version: facts?.version ?? null,
    arch: facts?.arch ?? null,
    runtime: facts?.runtime ?? null,
    isolation: facts?.isolation ?? null,
    runtime_down: facts?.runtimeDown ?? null,
    addresses: {
      mesh: facts?.addrs.mesh ?? [],
      api: facts?.addrs.api ?? null,
      http: facts?.addrs.http ?? null,
    },
    load: facts?.load ?? null,
    cpus: facts?.capacity.cpus ?? null,
    memory_mib: facts?.capacity.memoryMiB ?? null,
    memory_used_mib: facts === null ? null : memoryUsedMiB(facts),
    dynos: facts === null ? 0 : facts.dynos.length + facts.oneOffs.length,
    staying: (facts?.dynos ?? []).flatMap(({ app: id, type, index }) => {
      const pin = volumes.find(({ app, volume }) => app.id === id && volume.mount?.type === type);
      return pin === undefined
        ? []
        : [{ app: pin.app.name, dyno: `${type}.${index}`, volume: pin.volume.name }];
    }),
    volumes: volumes.map(({ app, volume }) => ({ app: app.name, name: volume.name })),
    draining: facts?.draining ?? false,
    labels: facts?.labels ?? {},
    since: isoTime(member.since.ms),
  };
}

function memoryUsedMiB(facts: PeerFacts): number {
  return [...facts.dynos, ...facts.oneOffs].reduce((sum, { size }) => sum + sizeOf(size).memoryMiB, 0);
}
