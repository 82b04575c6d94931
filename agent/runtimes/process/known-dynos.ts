import type { DynoId } from '../../../src/ids.ts';
import type { DynoAddress, RuntimeEvent } from '../../../src/shell/runtime.ts';
import type { DynoRecord, Request, Told } from '../keeper/protocol.ts';
import type { KeeperEvent } from './keeper-client.ts';

type Known = {
  readonly port: number | null;
  readonly ownUid: number | null;
  /** Null until the keeper has it. */
  record: DynoRecord | null;
  told: Told;
};

const LOOPBACK = '127.0.0.1';

/** Dynos share the host's network: they are found on its loopback, of either family once that is known. */
export function addressOf({ port, host }: Pick<DynoRecord, 'port' | 'host'>): DynoAddress | null {
  return port === null ? null : { host: host ?? LOOPBACK, port };
}

const NOTHING_TOLD: Told = { seq: 0, listening: false, exited: false };

/** The dynos of this agent, and what was told of each: a new connection to the keeper goes on from there. */
export class KnownDynos {
  readonly #known = new Map<string, Known>();

  has(dyno: string): boolean {
    return this.#known.has(dyno);
  }

  /** Ports and users that a new dyno must not get. */
  taken(pick: 'port' | 'ownUid'): Set<number> {
    return new Set([...this.#known.values()].map((known) => known[pick]).filter((value) => value !== null));
  }

  /** The running dyno's record; null when it has ended or is not known. */
  running(dyno: string): DynoRecord | null {
    const known = this.#known.get(dyno);
    return known === undefined || known.told.exited ? null : known.record;
  }

  reserve(dyno: string, port: number | null, ownUid: number | null): void {
    this.#known.set(dyno, { port, ownUid, record: null, told: NOTHING_TOLD });
  }

  started(record: DynoRecord): void {
    const known = this.#known.get(record.dyno);
    if (known !== undefined) known.record = record;
  }

  adopt(record: DynoRecord, seq: number): void {
    const { port, ownUid, listening, exited } = record;
    this.#known.set(record.dyno, {
      port,
      ownUid,
      record,
      told: { seq, listening, exited: exited !== null },
    });
  }

  forget(dyno: string): void {
    this.#known.delete(dyno);
  }

  /** What to tell the agent of a keeper's event: nothing of dynos that are not its own. */
  *eventsOf(event: KeeperEvent): Generator<RuntimeEvent> {
    const known = this.#known.get(event.dyno);
    if (known === undefined) return;
    const dyno = event.dyno as DynoId;
    if (event.tag === 'output') {
      for (const [seq, timeUs, text] of event.lines) {
        known.told = { ...known.told, seq };
        yield { tag: 'output', dyno, seq, timeUs, text };
      }
      return;
    }
    if (event.tag === 'started') {
      yield { tag: 'started', dyno, address: addressOf(event) };
    } else if (event.tag === 'listening') {
      known.told = { ...known.told, listening: true };
      yield { tag: 'listening', dyno, address: { host: event.host ?? LOOPBACK, port: known.port ?? 0 } };
    } else {
      known.told = { ...known.told, exited: true };
      yield { ...event, dyno, outOfMemory: event.outOfMemory ?? false };
    }
  }

  /** Dynos that the keeper no longer has died with a former keeper. */
  *lost(kept: ReadonlySet<string>): Generator<RuntimeEvent> {
    for (const [dyno, known] of this.#known) {
      // One without a record is being started: `start` itself reports what became of it.
      if (kept.has(dyno) || known.told.exited || known.record === null) continue;
      known.told = { ...known.told, exited: true };
      yield { tag: 'exited', dyno: dyno as DynoId, status: 137, signal: 'SIGKILL', outOfMemory: false };
    }
  }

  followRequest(): Request {
    const told: Record<string, Told> = {};
    for (const [dyno, known] of this.#known) told[dyno] = known.told;
    return { tag: 'follow', told };
  }
}
