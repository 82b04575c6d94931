import { rm } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { ClusterId } from '../../src/ids.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import type { Store } from '../../src/shell/store.ts';
import { isTold, listenMultiaddr } from '../config/addresses.ts';
import type { AgentConfig } from '../config/config.ts';
import type { DataKeys } from '../keys/data-keys.ts';
import { openMesh } from '../mesh/mesh.ts';
import { openStore } from '../store/store.ts';
import type { DataDir } from './data-dir.ts';
import { applyGrant, askToJoin, takeSavedGrant } from './join.ts';
import { randomId, readPast, type Past } from './past.ts';
import { pickPort } from './ports.ts';

/** A peer's memory and its connections: what it knows, and through whom it learns more. */
export type Ledger = {
  readonly store: Store;
  readonly mesh: Mesh;
  readonly past: Past;
  readonly cluster: ClusterId;
  /** Nothing was ever written: this peer founds its cluster by itself. */
  readonly isFounder: boolean;
};

/** Opens store and mesh, and joins a cluster first where the settings, or a grant from the last run, say so. */
export async function openLedger(
  parts: AsyncDisposableStack,
  {
    config,
    dir,
    seed,
    keys,
    log,
  }: { config: AgentConfig; dir: DataDir; seed: Uint8Array; keys: DataKeys; log: Logger },
): Promise<Ledger> {
  const saved = await takeSavedGrant(dir.grant, dir.store);
  const store = parts.use(await openStore(dir.store, log.child({ component: 'store' })));
  if (saved !== null) {
    await applyGrant(saved.grant, store, keys);
    await store.append([], { ports: saved.ports });
    await rm(dir.grant);
  }
  const past = await readPast(store, log);
  const isFresh = past.ops.length === 0;
  // A founder names its cluster before it has written a word, so that even its first start can be repeated.
  const cluster = past.cluster ?? (randomId(26) as ClusterId);
  const mesh = parts.use(
    await openMesh({
      seed,
      listen: [listenMultiaddr(config.host, await pickPort(config.host, config.mesh, past.ports.mesh))],
      tells: (address) => isTold(address, config.host),
      log,
      mdns: config.host.startsWith('127.')
        ? null
        : { serviceTag: `_kith-${cluster.slice(0, 10)}._udp.local` },
    }),
  );
  if (isFresh && config.join !== null) {
    log.info('asking to join');
    const grant = await askToJoin(mesh, config.join, config.name);
    await applyGrant(grant, store, keys);
    const joined = await readPast(store, log);
    return { store, mesh, past: joined, cluster: grant.cluster as ClusterId, isFounder: false };
  }
  if (past.cluster === null) await store.append([], { cluster });
  return { store, mesh, past, cluster, isFounder: isFresh };
}
