import { randomBytes } from 'node:crypto';
import { base32 } from 'multiformats/bases/base32';
import type { Logger } from 'pino';
import type { ClusterId, Epoch, OpId, PeerId } from '../../src/ids.ts';
import { decodeOp } from '../../src/ledger/codec.ts';
import type { StoredOp } from '../../src/ledger/op.ts';
import type { Store } from '../../src/shell/store.ts';
import { findPoison } from './poison.ts';

/** Ports that a 0 in the settings was given: kept, so that the others find this peer again after a restart. */
export type Ports = {
  readonly mesh: number;
  readonly api: number;
  readonly http: number;
  /** Null where no second port was asked for. */
  readonly https: number | null;
  readonly proxy: number;
};

/** What the store knows of this peer's earlier runs. */
export type Past = {
  /** Null before it has founded or joined a cluster. */
  readonly cluster: ClusterId | null;
  readonly epoch: Epoch;
  readonly incarnation: number;
  readonly addresses: ReadonlyMap<PeerId, readonly string[]>;
  readonly ports: Partial<Ports>;
  readonly ops: readonly StoredOp[];
  /** Ops that the agent died of: kept, and not applied. */
  readonly shunned: ReadonlyMap<OpId, string>;
};

/** Reads the store, and notes durably that one more run begins. */
export async function readPast(store: Store, log: Logger): Promise<Past> {
  const ops: StoredOp[] = [];
  const onCorrupt = (key: string, reason: string): void => log.error({ key, reason }, 'stored op is damaged');
  for await (const bytes of store.all(onCorrupt)) {
    try {
      ops.push(decodeOp(bytes));
    } catch (err) {
      log.error({ err }, 'stored op cannot be read');
    }
  }
  const incarnation = Number((await store.getRecord('incarnation')) ?? 0) + 1;
  const epoch = ((await store.getRecord('epoch')) ?? randomId(16)) as Epoch;
  await store.append([], { incarnation, epoch });
  const addresses = ((await store.getRecord('addresses')) ?? {}) as Record<PeerId, readonly string[]>;
  return {
    cluster: ((await store.getRecord('cluster')) ?? null) as ClusterId | null,
    epoch,
    incarnation,
    addresses: new Map(Object.entries(addresses) as [PeerId, readonly string[]][]),
    ports: (await store.getRecord('ports')) ?? {},
    ops,
    shunned: await findPoison(store, ops, log),
  };
}

/** `length` random base32 characters. */
export function randomId(length: number): string {
  return base32.baseEncode(randomBytes(length)).slice(0, length);
}
