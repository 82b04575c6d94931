import type { PeerId } from '../../src/ids.ts';

/** What the bench tells one of its peers. */
export type ToPeer =
  | { readonly t: 'open'; readonly dir: string; readonly seed: string }
  /** The founding ops (base64), and where everybody listens. */
  | {
      readonly t: 'start';
      readonly cluster: string;
      readonly ops: readonly string[];
      readonly addresses: Readonly<Record<PeerId, readonly string[]>>;
    }
  /** Further ops (base64) of the founder's. */
  | { readonly t: 'learn'; readonly ops: readonly string[] }
  | { readonly t: 'write' }
  | { readonly t: 'look' }
  | { readonly t: 'report' };

/** Release number, and the moment in ns of CLOCK_MONOTONIC: one clock for all processes of a machine. */
export type Mark = readonly [release: number, ns: string];

export type FromPeer =
  | { readonly t: 'opened'; readonly addrs: readonly string[] }
  | { readonly t: 'started' }
  | { readonly t: 'learned' }
  | { readonly t: 'failed'; readonly reason: string }
  | { readonly t: 'looked'; readonly alive: number; readonly gossiping: boolean }
  | { readonly t: 'written'; readonly release: number; readonly asked: string; readonly answered: string }
  | {
      readonly t: 'reported';
      /** When a release that this peer wrote was on its disk. */
      readonly durable: readonly Mark[];
      /** When a release became the app's current one here. */
      readonly visible: readonly Mark[];
    };
