import { randomBytes } from 'node:crypto';
import { type Message, TopicValidatorResult } from '@libp2p/gossipsub';
import type { Connection } from '@libp2p/interface';
import type { Logger } from 'pino';
import { PlatformError } from '../../src/errors.ts';
import type { PeerId } from '../../src/ids.ts';
import type { Tasks } from '../lib/tasks.ts';
import { openEnvelope, readEnvelope, sealEnvelope } from './envelope.ts';
import type { Gate } from './gate.ts';
import type { Host } from './host.ts';
import type { Identity } from './identity.ts';

export const GOSSIP_BYTES_MAX = 16 * 1024;

type TopicHandler = (from: PeerId, data: Uint8Array) => void;

/** Topics among members. An accelerator: it may lose messages, and tells nobody. */
export class Gossip {
  readonly #host: Host;
  readonly #identity: Identity;
  readonly #gate: Gate;
  readonly #tasks: Tasks;
  readonly #log: Logger;
  readonly #handlers = new Map<string, Set<TopicHandler>>();
  #nonce = randomBytes(8).readBigUInt64BE();

  constructor(host: Host, identity: Identity, gate: Gate, tasks: Tasks, log: Logger) {
    this.#host = host;
    this.#identity = identity;
    this.#gate = gate;
    this.#tasks = tasks;
    this.#log = log;
    host.services.pubsub.addEventListener('message', (event) => this.#onMessage(event.detail));
  }

  publish(topic: string, data: Uint8Array): void {
    if (data.length > GOSSIP_BYTES_MAX) {
      throw new PlatformError(
        'too_large',
        `Cannot gossip ${data.length} bytes on "${topic}": at most ${GOSSIP_BYTES_MAX}`,
      );
    }
    this.#nonce = BigInt.asUintN(64, this.#nonce + 1n);
    const envelope = sealEnvelope(this.#identity, topic, this.#nonce, data);
    this.#tasks.run('gossip publish', () => this.#host.services.pubsub.publish(topic, envelope));
  }

  subscribe(topic: string, handler: TopicHandler): () => void {
    const { pubsub } = this.#host.services;
    let handlers = this.#handlers.get(topic);
    if (handlers === undefined) {
      handlers = new Set();
      this.#handlers.set(topic, handlers);
      pubsub.topicValidators.set(topic, (_, message) => this.#validate(message));
      pubsub.subscribe(topic);
    }
    handlers.add(handler);
    return () => {
      const left = this.#handlers.get(topic);
      if (left?.delete(handler) !== true || left.size > 0) return;
      this.#handlers.delete(topic);
      pubsub.unsubscribe(topic);
      pubsub.topicValidators.delete(topic);
    };
  }

  hasSubscribers(topic: string): boolean {
    return this.#host.services.pubsub.getSubscribers(topic).length > 0;
  }

  /** Whether we can gossip over this connection. */
  hasStream(connection: Connection): boolean {
    return connection.streams.some(
      ({ protocol, direction, status }) =>
        direction === 'outbound' && status === 'open' && protocol.startsWith('/meshsub/'),
    );
  }

  #validate(message: Message): TopicValidatorResult {
    const envelope = openEnvelope(message.topic, message.data);
    return envelope !== null && this.#gate.isMember(envelope.from)
      ? TopicValidatorResult.Accept
      : TopicValidatorResult.Reject;
  }

  #onMessage({ topic, data }: Message): void {
    const envelope = readEnvelope(data);
    if (envelope === null || envelope.from === this.#identity.self) return;
    for (const handler of this.#handlers.get(topic) ?? []) {
      try {
        handler(envelope.from, envelope.data);
      } catch (err) {
        this.#log.error({ topic, peer: envelope.from, err }, 'gossip handler failed');
      }
    }
  }
}
