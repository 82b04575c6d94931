import type { PeerId } from '../../ids.ts';
import { compareStamps } from '../hlc.ts';
import { parentsFirst } from '../op-graph.ts';
import type { FoldOp, OpOf } from '../op-graph.ts';
import { headsOf, writeRegister } from '../register.ts';
import type { Register } from '../register.ts';
import type { Member } from './cluster-types.ts';

export type MemberOp = OpOf<'cluster.found' | 'member.admit' | 'member.remove'>;

/** Who may write, worked out from the ops about members alone. */
export type Membership = {
  readonly ops: readonly MemberOp[];
  readonly founding: OpOf<'cluster.found'> | null;
  readonly members: ReadonlyMap<PeerId, Member>;
  /** Peer that used each invite first. */
  readonly invitesUsed: ReadonlyMap<string, PeerId>;
  /** Of removed peers: the last sequence number per epoch that still counts. */
  readonly cuts: ReadonlyMap<PeerId, Readonly<Record<string, number>>>;
};

export function nobody(): Membership {
  return { ops: [], founding: null, members: new Map(), invitesUsed: new Map(), cuts: new Map() };
}

/** Narrows an op to one about members, or null. */
export function asMemberOp(op: FoldOp): MemberOp | null {
  if (op.reading.tag !== 'body') return null;
  const { body } = op.reading;
  const isAboutMembers =
    body.kind === 'cluster.found' || body.kind === 'member.admit' || body.kind === 'member.remove';
  return isAboutMembers ? { ...op, body } : null;
}

/** Whether its author was admitted, and not removed before it. */
export function isInGoodStanding(
  membership: Pick<Membership, 'members' | 'cuts'>,
  op: Pick<FoldOp, 'author' | 'epoch' | 'seq'>,
): boolean {
  if (!membership.members.has(op.author)) return false;
  const cut = membership.cuts.get(op.author);
  return cut === undefined || op.seq <= (cut[op.epoch] ?? -1);
}

/**
 * Decides who belongs, from the whole set of member ops. Who may admit and remove depends on who was admitted and
 * removed, so the ops are tried in one order that every peer finds: parents first, then those of the peers closer to
 * the founder, so that no later guest can outrank its host by an early clock. An op counts if its author is in good
 * standing when its turn comes; what did not count is tried again as long as something else did.
 */
export function judgeMembers(ops: readonly MemberOp[]): Membership {
  const founding = ops.filter(isFounding).sort(compareStamps)[0] ?? null;
  if (founding === null) return { ...nobody(), ops };
  const court = new Court(founding);
  let open: readonly MemberOp[] = causalOrder(ops, seniority(ops, founding.author));
  for (;;) {
    const skipped = open.filter((op) => !court.hear(op));
    if (skipped.length === open.length) break;
    open = skipped;
  }
  return { ops, founding, members: court.members, invitesUsed: court.invitesUsed(), cuts: court.cuts };
}

/** The members as the ops heard so far make them. */
class Court {
  readonly members = new Map<PeerId, Member>();
  readonly cuts = new Map<PeerId, Readonly<Record<string, number>>>();
  readonly #registers = new Map<PeerId, Register<MemberOp['body']>>();
  readonly #uses: OpOf<'member.admit'>[] = [];

  constructor(founding: OpOf<'cluster.found'>) {
    this.#write(founding.author, founding);
  }

  /** Lets an op count if its author may speak. */
  hear(op: MemberOp): boolean {
    const { body } = op;
    if (body.kind === 'cluster.found' || !isInGoodStanding(this, op)) return false;
    if (body.kind === 'member.remove' && !this.members.has(body.peer)) return false;
    if (body.kind === 'member.admit') this.#uses.push({ ...op, body });
    this.#write(body.peer, op);
    return true;
  }

  invitesUsed(): ReadonlyMap<string, PeerId> {
    const latestFirst = this.#uses.toSorted(compareStamps).toReversed();
    return new Map(
      latestFirst.flatMap(({ body }) => (body.invite === null ? [] : [[body.invite, body.peer]])),
    );
  }

  #write(peer: PeerId, op: MemberOp): void {
    const register = writeRegister(
      this.#registers.get(peer),
      { id: op.id, hlc: op.hlc, value: op.body },
      op.parents,
    );
    this.#registers.set(peer, register);
    const winner = register[0];
    if (winner === undefined) return;
    const isRemoved = winner.value.kind === 'member.remove';
    const known = this.members.get(peer);
    this.members.set(peer, {
      peer,
      name: winner.value.kind === 'member.remove' ? (known?.name ?? '') : winner.value.name,
      state: isRemoved ? 'removed' : 'member',
      heads: headsOf(register),
      since: winner.hlc,
    });
    if (isRemoved) this.cuts.set(peer, widestCut(register));
    else this.cuts.delete(peer);
  }
}

/** Of removals that did not know of each other, all that either had seen still counts. */
function widestCut(register: Register<MemberOp['body']>): Readonly<Record<string, number>> {
  const cut: Record<string, number> = {};
  for (const { value } of register) {
    if (value.kind !== 'member.remove') continue;
    for (const [epoch, seq] of Object.entries(value.cut)) cut[epoch] = Math.max(cut[epoch] ?? -1, seq);
  }
  return cut;
}

function isFounding(op: MemberOp): op is OpOf<'cluster.found'> {
  return op.body.kind === 'cluster.found' && op.seq === 0 && op.parents.length === 0;
}

/** How many admissions lie between the founder and each peer, at least. */
function seniority(ops: readonly MemberOp[], founder: PeerId): ReadonlyMap<PeerId, number> {
  const guests = new Map<PeerId, PeerId[]>();
  for (const { author, body } of ops) {
    if (body.kind === 'member.admit') guests.set(author, [...(guests.get(author) ?? []), body.peer]);
  }
  const ranks = new Map([[founder, 0]]);
  for (const [host, rank] of ranks) {
    for (const guest of guests.get(host) ?? []) if (!ranks.has(guest)) ranks.set(guest, rank + 1);
  }
  return ranks;
}

/** Parents first; else by rank, time and id. */
function causalOrder(ops: readonly MemberOp[], ranks: ReadonlyMap<PeerId, number>): readonly MemberOp[] {
  const rankOf = (op: MemberOp) => ranks.get(op.author) ?? Number.MAX_SAFE_INTEGER;
  return parentsFirst(ops.toSorted((a, b) => rankOf(a) - rankOf(b) || compareStamps(a, b)));
}
