import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterResource } from '../../src/platform/cluster.ts';

const ANSWER_MS = 5_000;
const CATCH_UP_MS = 30_000;
const LOOK_MS = 20;

type Peer = { readonly id: string; readonly api: string; readonly token: string };

/**
 * What is written at one peer is read there at once, and at the others when it has come there. A test that goes from one
 * peer to another means the latter: whoever is asked has heard by then of all that those knew who were asked before.
 */
export class InStep {
  readonly #peers: readonly Peer[];
  /** By peer: those that were asked since, which may know more. */
  readonly #ahead = new Map<Peer, Set<Peer>>();

  constructor(peers: readonly Peer[]) {
    this.#peers = peers;
  }

  /** Something was asked of this peer, and answered. */
  after(asked: Peer): void {
    for (const peer of this.#peers) {
      if (peer === asked) continue;
      this.#ahead.set(peer, (this.#ahead.get(peer) ?? new Set()).add(asked));
    }
  }

  /** This peer is going to be asked. */
  async before(peer: Peer): Promise<void> {
    const ahead = this.#ahead.get(peer);
    if (ahead === undefined) return;
    this.#ahead.delete(peer);
    await Promise.all([...ahead].map((other) => heardOf(peer, other)));
  }
}

/** Ends early where one of them is away, or takes the other for no member: what it hears then is the test's affair. */
async function heardOf(peer: Peer, other: Peer): Promise<void> {
  const theirs = await clusterOf(other);
  if (theirs === null) return;
  const until = performance.now() + CATCH_UP_MS;
  while (performance.now() < until) {
    const own = await clusterOf(peer);
    if (own === null || own.id !== theirs.id || !knows(own, other) || !knows(theirs, peer)) return;
    if (own.writes >= theirs.writes) return;
    await sleep(LOOK_MS);
  }
}

function knows({ members }: ClusterResource, { id }: Peer): boolean {
  return members.some((member) => member.id === id);
}

async function clusterOf(peer: Peer): Promise<ClusterResource | null> {
  try {
    const response = await fetch(`${peer.api}/kith/cluster`, {
      headers: { authorization: `Bearer ${peer.token}`, connection: 'close' },
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    return response.ok ? ((await response.json()) as ClusterResource) : null;
  } catch {
    return null;
  }
}
