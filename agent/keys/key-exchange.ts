import type { Logger } from 'pino';
import type { PeerId } from '../../src/ids.ts';
import type { View } from '../../src/ledger/view.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import { callPeer, serveCalls } from '../lib/peer-call.ts';
import type { Tasks } from '../lib/tasks.ts';
import { type DataKeys, keyIdOf } from './data-keys.ts';

const SERVICE = 'data-keys';
const CALL_MS = 3_000;
const RETRY_MS = 2_000;

export type KeyExchangeParts = {
  readonly mesh: Mesh;
  readonly keys: DataKeys;
  readonly tasks: Tasks;
  readonly log: Logger;
  readonly view: () => View;
  readonly signal: AbortSignal;
};

/**
 * Data keys reach a peer from the members it is connected with, never through the ledger. `want` is called whenever
 * the ledger may name a key that is not here.
 */
export function openKeyExchange(parts: KeyExchangeParts): { want(): void } {
  const { mesh, keys, tasks } = parts;
  let isFetching = false;
  serveCalls(mesh, SERVICE, async (_request, from) => {
    // The mesh admits members only; one that was removed while connected gets no further key.
    return parts.view().members.get(from)?.state === 'member' ? keys.export() : {};
  });
  const fetch = async (): Promise<void> => {
    while (!parts.signal.aborted && lacksKey(parts.view(), keys)) {
      for (const peer of mesh.connected()) await take(parts, peer);
      if (lacksKey(parts.view(), keys)) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  };
  return {
    want() {
      if (isFetching || !lacksKey(parts.view(), keys)) return;
      isFetching = true;
      tasks.run('fetch data keys', () => fetch().finally(() => (isFetching = false)));
    },
  };
}

async function take({ mesh, keys, log }: KeyExchangeParts, peer: PeerId): Promise<void> {
  try {
    const answer = await callPeer(mesh, peer, SERVICE, {}, CALL_MS);
    if (typeof answer === 'object' && answer !== null) keys.add(answer as Record<string, string>);
  } catch (err) {
    log.info({ peer, err }, 'data keys not fetched');
  }
}

function lacksKey(view: View, keys: DataKeys): boolean {
  if (view.dataKey !== null && !keys.has(view.dataKey)) return true;
  if (view.ca === null) return false;
  const caKey = keyIdOf(view.ca.key);
  return caKey !== null && !keys.has(caKey);
}
