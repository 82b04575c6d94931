import { cycleAt } from '../dynos/cycling.ts';
import { adoptLife } from '../dynos/life.ts';
import type { BlobId, Epoch, OpId, PeerId } from '../ids.ts';
import { emptyLogs, holdsOp, restoreOps } from '../ledger/author-logs.ts';
import { applyOps, emptyFold } from '../ledger/fold.ts';
import { adoptHlc } from '../ledger/hlc.ts';
import type { StoredOp } from '../ledger/op.ts';
import { createMembership } from '../membership/membership.ts';
import { createPlacement } from '../placement/plan.ts';
import type { Now, Step } from '../step.ts';
import type { PeerEffect } from './effects.ts';
import { firstFacts } from './first-facts.ts';
import { beginEpoch } from './ledger-part.ts';
import { stepPeer } from './machine.ts';
import { dueIn } from './release-part.ts';
import type { PeerIdentity, PeerState } from './state.ts';
import { beginWork } from './work.ts';

/** Others may still be running what looks free to a peer that has just started. */
const BOOT_GRACE_MS = 6_000;

/** A dyno of ours that outlived the last agent. */
export type AdoptedDyno = Parameters<typeof adoptLife>[0];

/** What the shell found on this machine's disk, and still running on it. */
export type PeerBoot = {
  /** Any 32-bit number; the peer's only source of chance. */
  readonly seed: number;
  readonly epoch: Epoch;
  /** The whole store, each author's log in sequence. */
  readonly ops: readonly StoredOp[];
  /** Ops that are not to be applied, and why: an agent died of them. */
  readonly shunned?: ReadonlyMap<OpId, string>;
  readonly addresses: ReadonlyMap<PeerId, readonly string[]>;
  readonly adopted: readonly AdoptedDyno[];
  readonly blobs: readonly BlobId[];
};

/** A peer as it starts: the ledger folded, the dynos adopted, nobody heard yet. */
export function createPeer(identity: PeerIdentity, boot: PeerBoot, now: Now): Step<PeerState, PeerEffect> {
  const self = identity.signer.peer;
  const logs = restoreOps(emptyLogs(), boot.ops);
  const fold = applyOps(emptyFold(boot.shunned), boot.ops);
  const hlc = boot.ops.reduce((last, { op }) => adoptHlc(last, op.hlc, now.wall), { ms: 0, n: 0 });
  const stranded = boot.ops.filter((op) => !holdsOp(logs, op));
  // Ops of ours that follow a hole in the store: their numbers are taken, others may hold them.
  const hasHole = stranded.some(({ op }) => op.author === self && op.epoch === boot.epoch);
  const adopted = boot.adopted.map((found) => adoptLife(found, now));
  const state: PeerState = {
    identity,
    self,
    epoch: boot.epoch,
    hlc,
    prng: boot.seed >>> 0,
    logs,
    stranded,
    fold,
    membership: createMembership({ self, incarnation: identity.incarnation, seed: boot.seed ^ 0x5bd1e995 }),
    verdictChanges: 0,
    connected: new Set(),
    facts: new Map(),
    addresses: boot.addresses,
    placement: createPlacement(),
    unplaced: [],
    dynos: new Map(adopted.map(({ state: life }) => [life.dyno, life])),
    dynosMade: 0,
    oneOffs: [],
    tookOneOffs: [],
    blobs: boot.blobs,
    load: 0,
    draining: false,
    runtimeDown: null,
    cycleAt: Math.min(Infinity, ...adopted.map(({ state: life }) => cycleAt(life))),
    storage: null,
    stopping: false,
    pending: new Map(),
    own: firstFacts(identity),
    publishAt: null,
    publishedAt: -Infinity,
    syncAt: now.mono,
    digest: { from: [], text: '' },
    askedAt: new Map(),
    placeFrom: now.mono + BOOT_GRACE_MS,
    membersTold: new Map(),
    mergeAt: null,
    unforked: null,
    releasesDue: { view: fold.view, due: dueIn(fold.view) },
    releaseAt: null,
    releasesRun: new Set(),
    releasesStuck: new Map(),
    duties: [],
    dutyHomes: new Map(),
    dutiesFrom: { parts: [], facts: new Map(), draining: new Set() },
    wanted: { view: emptyFold().view, slots: [] },
    routesFrom: [],
    ownFrom: [],
  };
  const effects = adopted.flatMap(({ state: life, effects }) =>
    effects.map((effect) => ({ tag: 'dyno' as const, life, effect })),
  );
  const work = beginWork(state, now);
  if (hasHole) beginEpoch(work);
  const next = stepPeer(work.state, { tag: 'wake' }, now);
  return { state: next.state, effects: [...effects, ...work.effects, ...next.effects] };
}
