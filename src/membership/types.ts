import type { PeerId } from '../ids.ts';
import type { Verdict } from '../facts.ts';

/** A rumour about a peer, gossiped on the back of probes. Higher incarnation wins; at equal, the graver state. */
export type Rumour = {
  readonly peer: PeerId;
  readonly incarnation: number;
  readonly state: 'alive' | 'suspect' | 'down' | 'left';
  /** Who says so: distinct suspecters shorten the suspicion. */
  readonly by: PeerId;
};

/** What a host's ports told one observer: evidence that needs no suspicion time. */
export type Evidence = {
  readonly peer: PeerId;
  readonly by: PeerId;
  readonly incarnation: number;
  /** `gone`: agent and router refused; `agentOnly`: agent refused, router answers. */
  readonly found: 'gone' | 'agentOnly';
};

export type SwimMessage =
  | {
      readonly t: 'ping';
      readonly n: number;
      readonly rumours: readonly Rumour[];
      readonly evidence: readonly Evidence[];
    }
  | {
      readonly t: 'ack';
      readonly n: number;
      readonly incarnation: number;
      readonly rumours: readonly Rumour[];
      readonly evidence: readonly Evidence[];
    }
  | {
      readonly t: 'pingReq';
      readonly n: number;
      readonly target: PeerId;
      readonly rumours: readonly Rumour[];
    }
  /** The answer to a pingReq: `ok` false is the nack that tells a lost target from a lost helper. */
  | {
      readonly t: 'indirect';
      readonly n: number;
      readonly target: PeerId;
      readonly ok: boolean;
      readonly incarnation: number;
    };

export type PortState = 'open' | 'refused' | 'timeout';

export type MembershipEvent =
  | { readonly tag: 'tick' }
  | { readonly tag: 'message'; readonly from: PeerId; readonly message: SwimMessage }
  | { readonly tag: 'connected'; readonly peer: PeerId }
  | { readonly tag: 'disconnected'; readonly peer: PeerId }
  | { readonly tag: 'ports'; readonly peer: PeerId; readonly agent: PortState; readonly router: PortState }
  /** The ledger's member list, self included. */
  | { readonly tag: 'members'; readonly peers: readonly PeerId[] }
  /** Others know of something that we said in this incarnation, and we do not: our disk has forgotten an earlier run. */
  | { readonly tag: 'forgotten'; readonly incarnation: number }
  /** This agent's own event loop stalled. */
  | { readonly tag: 'lag'; readonly ms: number }
  /** Say goodbye: announced to all, verdict `gone` there at once. */
  | { readonly tag: 'leave' };

export type MembershipEffect =
  | { readonly tag: 'send'; readonly to: PeerId; readonly message: SwimMessage }
  | { readonly tag: 'probePorts'; readonly peer: PeerId }
  /** A peer's verdict changed. */
  | { readonly tag: 'verdict'; readonly peer: PeerId; readonly verdict: Verdict }
  /** Our own incarnation went up, to refute a rumour or to outdo a forgotten run: persist it before the messages that follow. */
  | { readonly tag: 'incarnation'; readonly incarnation: number };
