import type { View } from '../ledger/view.ts';
import type { PeerStatus } from '../shell/host.ts';
import type { EngineStack } from '../shell/stack.ts';
import { peerRef } from './peer-names.ts';
import { isoTime } from './time.ts';

/** The stack images that the ledger names, and what the peer that answers has of its own. */
export type StacksResource = {
  readonly stacks: readonly {
    readonly name: string;
    readonly arch: string;
    /** SHA-256 of its `.tar.zst`. */
    readonly blob: string;
    readonly bytes: number;
    readonly updated_at: string;
    /** Names of the peers that hold it and are up. */
    readonly peers: readonly string[];
  }[];
  readonly engine: {
    readonly answers: boolean;
    readonly image: string;
    readonly present: boolean;
    /** The blob its image was made from, where it was made from one. */
    readonly blob: string | null;
  };
};

export function stacksResource(view: View, peers: readonly PeerStatus[], local: EngineStack): StacksResource {
  const { engine: answers, image, present, blob } = local;
  return {
    stacks: [...view.stacks.values()]
      .sort((a, b) => (a.arch < b.arch ? -1 : 1))
      .map((stack) => ({
        name: stack.name,
        arch: stack.arch,
        blob: stack.blob,
        bytes: stack.bytes,
        updated_at: isoTime(stack.setAt),
        peers: peers
          .filter(({ verdict, facts }) => verdict === 'alive' && facts?.blobs.includes(stack.blob) === true)
          .map(({ peer }) => peerRef(view, peer).name)
          .sort(),
      })),
    engine: { answers, image, present, blob },
  };
}
