import type { Logger } from 'pino';
import type { PeerEffect } from '../../src/peer/effects.ts';
import type { PeerEvent } from '../../src/peer/events.ts';
import type { GossipMessage, PeerMessage } from '../../src/peer/messages.ts';
import type { CommandResult } from '../../src/ledger/command.ts';
import type { Duty } from '../../src/ledger/duty.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import type { Store } from '../../src/shell/store.ts';
import type { Tasks } from '../lib/tasks.ts';
import type { DynoManager } from './dyno-manager.ts';
import type { Performer } from './peer-loop.ts';
import { decodeMessage, encodeMessage } from './wire.ts';

export const GOSSIP_TOPIC = 'kith/peer/1';
/** Larger news waits for anti-entropy where there is no link. */
const GOSSIP_BYTES_MAX = 15 * 1024;
const OPS_FRAME_BYTES = 256 * 1024;
const PROBE_TIMEOUT_MS = 400;

export type PerformerParts = {
  readonly mesh: Mesh;
  readonly store: Store;
  readonly releases: { run(what: PeerEffect & { tag: 'release' }): void };
  readonly dynos: Pick<DynoManager, 'perform' | 'remove' | 'warm'>;
  readonly tasks: Tasks;
  readonly log: Logger;
  readonly dispatch: (event: PeerEvent) => void;
  readonly onAnswer: (id: string, result: CommandResult) => void;
  readonly onDuties: (duties: readonly Duty[]) => void;
  readonly onRoutes: () => void;
};

/** Effects of the machine as calls of the parts that can do them. */
export function createPerformer(parts: PerformerParts): Performer {
  const { mesh, store, dynos, tasks, log } = parts;
  let others = 0;
  return {
    persist: ({ ops, records }) => store.append(ops, records),
    sendOps: (effect) => sendOps(parts, effect),
    perform(effect) {
      switch (effect.tag) {
        case 'send':
          mesh.send(effect.to, encodeMessage(effect.message));
          break;
        case 'gossip':
          tellAll(mesh, others, effect.message);
          break;
        case 'answer':
          parts.onAnswer(effect.id, effect.result);
          break;
        case 'probePorts':
          tasks.run('probe ports', () => probePorts(parts, effect));
          break;
        case 'members':
          others = effect.members.length;
          mesh.setMembers(effect.members);
          break;
        case 'dyno':
          dynos.perform(effect.life, effect.effect);
          break;
        case 'removeDyno':
          dynos.remove(effect.dyno);
          break;
        case 'warm':
          dynos.warm(effect.slot);
          break;
        case 'release':
          parts.releases.run(effect);
          break;
        case 'duties':
          parts.onDuties(effect.duties);
          break;
        case 'routes':
          parts.onRoutes();
          break;
        case 'alarm':
          log.warn(effect.fields, effect.text);
          break;
      }
    },
  };
}

/** What comes in from the mesh, as events of the machine. */
export function receive(mesh: Mesh, dispatch: (event: PeerEvent) => void, log: Logger): void {
  mesh.onConnected((peer) => dispatch({ tag: 'connected', peer }));
  mesh.onDisconnected((peer) => dispatch({ tag: 'disconnected', peer }));
  mesh.onFrame((from, frame) => {
    const message = decodeMessage(frame) as PeerMessage | null;
    if (message === null) log.warn({ peer: from, bytes: frame.length }, 'frame refused');
    else dispatch({ tag: 'message', from, message });
  });
  mesh.subscribe(GOSSIP_TOPIC, (from, data) => {
    const message = decodeMessage(data) as GossipMessage | null;
    if (message === null) log.warn({ peer: from, bytes: data.length }, 'gossip refused');
    else dispatch({ tag: 'gossip', from, message });
  });
}

/**
 * News for everybody goes to each peer on its own control stream: one hop, and four times as fast as gossipsub among
 * ten. Gossip is for those whom we have no link to: others that do pass it on.
 */
function tellAll(mesh: Mesh, others: number, message: GossipMessage): void {
  const direct: PeerMessage =
    message.t === 'ops' ? { t: 'ops', ops: message.ops } : { t: 'facts', records: [message.record] };
  const frame = encodeMessage(direct);
  const connected = mesh.connected();
  for (const peer of connected) mesh.send(peer, frame);
  if (connected.length >= others) return;
  const bytes = encodeMessage(message);
  if (bytes.length <= GOSSIP_BYTES_MAX) mesh.publish(GOSSIP_TOPIC, bytes);
}

async function sendOps(parts: PerformerParts, effect: PeerEffect & { tag: 'sendOps' }): Promise<void> {
  let batch: Uint8Array[] = [];
  let bytes = 0;
  const flush = (): boolean => {
    const wasTaken =
      batch.length === 0 || parts.mesh.send(effect.to, encodeMessage({ t: 'ops', ops: batch }));
    batch = [];
    bytes = 0;
    return wasTaken;
  };
  for (const { author, epoch, from, to } of effect.ranges) {
    for await (const op of parts.store.range(author, epoch, from, to)) {
      if (bytes + op.length > OPS_FRAME_BYTES && !flush()) return;
      batch.push(op);
      bytes += op.length;
    }
  }
  flush();
}

async function probePorts(parts: PerformerParts, effect: PeerEffect & { tag: 'probePorts' }): Promise<void> {
  const { peer, agent, router } = effect.target;
  const [agentState, routerState] = await Promise.all(
    [agent, router].map((address) => {
      const colon = address.lastIndexOf(':');
      return parts.mesh.probePort(
        address.slice(0, colon),
        Number(address.slice(colon + 1)),
        PROBE_TIMEOUT_MS,
      );
    }),
  );
  if (agentState === undefined || routerState === undefined) return;
  parts.dispatch({ tag: 'ports', peer, agent: agentState, router: routerState });
}
