import type { PeerId } from '../ids.ts';
import { isLater, type LogPosition } from './position.ts';
import { isCount } from './wire.ts';

export type Positions = ReadonlyMap<PeerId, LogPosition>;

/** More peers than this have lines of one app only where peers come and go for years: the latest stay. */
const POSITIONS_MAX = 128;
const PEER_CHARS_MAX = 64;

/** How far a drain has got in each peer's lines of the app. It only moves on, whoever tells what in which order. */
export class DrainCursor {
  readonly #positions = new Map<PeerId, LogPosition>();

  constructor(positions: Positions = new Map()) {
    this.merge(positions);
  }

  get positions(): Positions {
    return this.#positions;
  }

  /** @returns whether that is news */
  pass(peer: PeerId, position: LogPosition): boolean {
    const known = this.#positions.get(peer);
    if (known !== undefined && !isLater(position, known)) return false;
    this.#positions.set(peer, { boot: position.boot, seq: position.seq });
    if (this.#positions.size > POSITIONS_MAX) this.#positions.delete(this.#oldest());
    return true;
  }

  /** @returns whether any of it is news */
  merge(positions: Positions): boolean {
    return [...positions].map(([peer, position]) => this.pass(peer, position)).includes(true);
  }

  /** Of the peer whose agent began longest ago: it is the most likely to be gone for ever. */
  #oldest(): PeerId {
    const all = [...this.#positions].sort(([p, a], [q, b]) => a.boot - b.boot || (p < q ? -1 : 1));
    return (all[0] as (typeof all)[number])[0];
  }
}

/** Rows `[peer, boot, seq]`, for JSON and CBOR. */
export function toRows(positions: Positions): readonly (readonly [PeerId, number, number])[] {
  return [...positions].map(([peer, { boot, seq }]) => [peer, boot, seq]);
}

/** Null for anything that is no such list: it comes from other peers and from disk. */
export function parseRows(value: unknown): Positions | null {
  if (!Array.isArray(value) || value.length > POSITIONS_MAX) return null;
  const positions = new Map<PeerId, LogPosition>();
  for (const row of value as readonly unknown[]) {
    if (!Array.isArray(row)) return null;
    const [peer, boot, seq] = row as readonly unknown[];
    if (typeof peer !== 'string' || peer.length > PEER_CHARS_MAX || !isCount(boot) || !isCount(seq)) {
      return null;
    }
    positions.set(peer as PeerId, { boot, seq });
  }
  return positions;
}
