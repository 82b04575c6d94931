import type { DynoFact, PeerFacts, Verdict } from '../../src/facts.ts';
import { slotKey } from '../../src/ids.ts';
import type { AppId, BlobId, DynoId, PeerId, ProcessType, ReleaseId, SlotKey } from '../../src/ids.ts';
import type { PlacementInput, PlacementPeer, WantedSlot } from '../../src/placement/types.ts';
import { createPlacement, planPlacement, type Plan, type PlacementState } from '../../src/placement/plan.ts';

/** `blog/web.1` at generation `g1`. */
export function wantedSlot(name: string, patch: Partial<WantedSlot> = {}): WantedSlot {
  const [app = '', rest = ''] = name.split('/');
  const [type = '', index = '1'] = rest.split('.');
  return {
    slot: slotKey(app as AppId, type as ProcessType, Number(index)),
    app: app as AppId,
    type: type as ProcessType,
    index: Number(index),
    listens: type === 'web',
    release: 'release-1' as ReleaseId,
    generation: 'g1',
    size: 'Basic',
    memoryMiB: 512,
    command: 'run',
    arch: 'any',
    slug: 'slug-1' as BlobId,
    layers: [],
    format: 'slug',
    volumes: [],
    ...patch,
  };
}

export function wantedSlots(app: string, type: string, quantity: number, patch: Partial<WantedSlot> = {}) {
  return Array.from({ length: quantity }, (_, at) => wantedSlot(`${app}/${type}.${at + 1}`, patch));
}

let made = 0;

export function dynoFact(slot: WantedSlot, patch: Partial<DynoFact> = {}): DynoFact {
  made += 1;
  const { app, type, index, release, generation, size, command } = slot;
  return {
    slot: slot.slot,
    app,
    type,
    index,
    release,
    generation,
    size,
    command,
    dyno: `dyno-${made}` as DynoId,
    claimedAt: { ms: 1_000, n: 0 },
    phase: 'up',
    since: 0,
    port: 4_000,
    crashes: 0,
    ...patch,
  };
}

export function peerFacts(peer: string, patch: Partial<PeerFacts> = {}): PeerFacts {
  return {
    peer: peer as PeerId,
    incarnation: 1,
    counter: 0,
    name: peer,
    version: '0.1.0',
    arch: 'x64',
    runtime: 'process',
    isolation: '',
    labels: {},
    addrs: { mesh: [], api: '', http: '', proxy: '' },
    capacity: { memoryMiB: 8_192, cpus: 4 },
    load: 0,
    draining: false,
    dynos: [],
    oneOffs: [],
    blobs: ['slug-1' as BlobId],
    shy: [],
    ...patch,
  };
}

export function peerAt(
  name: string,
  patch: Partial<PeerFacts> = {},
  verdict: Verdict = 'alive',
  verdictAt = 0,
): PlacementPeer {
  return { facts: peerFacts(name, patch), verdict, verdictAt };
}

export function planFor(
  me: string,
  wanted: readonly WantedSlot[],
  peers: readonly PlacementPeer[],
  {
    at = 0,
    state = createPlacement(),
    members = peers.length,
  }: {
    at?: number;
    state?: PlacementState;
    members?: number;
  } = {},
): Plan {
  const input: PlacementInput = { me: me as PeerId, wanted, peers, members };
  return planPlacement(state, input, { mono: at, wall: at });
}

/** What a plan does, in short: `start web.1`, `stop dyno-3 moved`. */
export function summary({ actions }: Pick<Plan, 'actions'>): readonly string[] {
  return actions.map((action) => {
    if (action.tag === 'start') return `start ${short(action.slot.slot)}`;
    if (action.tag === 'stop') return `stop ${action.dyno} ${action.why}`;
    return `warm ${action.slot.slug}`;
  });
}

export function short(slot: SlotKey): string {
  return slot.slice(slot.indexOf('/') + 1);
}
