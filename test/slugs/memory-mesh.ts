import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import type { PeerId } from '../../src/ids.ts';
import type { Mesh } from '../../src/shell/mesh.ts';

type Handler = (channel: Duplex, from: PeerId) => void;

/** The `open`/`serve` half of a mesh, for peers of one process: every channel is a pair of streams in memory. */
export class MemoryMesh {
  readonly #services = new Map<PeerId, Map<string, Handler>>();
  /** Channels opened so far, as `from>to service`. */
  readonly opened: string[] = [];

  peer(name: string): Pick<Mesh, 'open' | 'serve' | 'self'> & { readonly self: PeerId } {
    const self = peerId(name);
    const own = new Map<string, Handler>();
    this.#services.set(self, own);
    return {
      self,
      serve: (service, handler) => void own.set(service, handler),
      open: async (to, service, signal) => {
        signal.throwIfAborted();
        this.opened.push(`${self}>${to} ${service}`);
        const handler = this.#services.get(to)?.get(service);
        if (handler === undefined) throw new Error(`${to} is not connected`);
        const [near, far] = duplexPair();
        setImmediate(() => handler(far, self));
        return near;
      },
    };
  }

  disconnect(name: string): void {
    this.#services.delete(peerId(name));
  }
}

export function peerId(name: string): PeerId {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- any name is a peer here
  return name as PeerId;
}
