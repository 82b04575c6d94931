import type { Logger } from 'pino';
import type { PeerId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { View } from '../../src/ledger/view.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import { callPeer, serveCalls } from '../lib/peer-call.ts';
import type { Tasks } from '../lib/tasks.ts';
import { type DataKeys, keyIdOf, keysShape } from './data-keys.ts';

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
  const isOpenable = new WeakSet<App>();
  /** The last view that could be opened whole: keys are never lost, so it needs no second look. */
  let opened: View | null = null;
  const isLacking = (): boolean => {
    const view = parts.view();
    if (view === opened) return false;
    if (lacksKey(view, keys, isOpenable)) return true;
    opened = view;
    return false;
  };
  serveCalls(mesh, SERVICE, async (_request, from) => {
    // The mesh admits members only; one that was removed while connected gets no further key.
    return parts.view().members.get(from)?.state === 'member' ? keys.export() : {};
  });
  const fetch = async (): Promise<void> => {
    while (!parts.signal.aborted && isLacking()) {
      for (const peer of mesh.connected()) await take(parts, peer);
      if (isLacking()) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  };
  return {
    want() {
      if (isFetching || !isLacking()) return;
      isFetching = true;
      tasks.run('fetch data keys', () => fetch().finally(() => (isFetching = false)));
    },
  };
}

async function take({ mesh, keys, log }: KeyExchangeParts, peer: PeerId): Promise<void> {
  try {
    const answer = await callPeer(mesh, peer, SERVICE, {}, CALL_MS);
    keys.add(keysShape.parse(answer));
  } catch (err) {
    log.info({ peer, err }, 'data keys not fetched');
  }
}

function lacksKey(view: View, keys: DataKeys, isOpenable: WeakSet<App>): boolean {
  if (view.dataKey !== null && !keys.has(view.dataKey)) return true;
  if (view.ca !== null && lacksKeyOf(view.ca.key, keys)) return true;
  // Both sides of a split may have rotated the key: values live on under one that is not the current one.
  return [...view.apps.values()].some((app) => {
    if (app.destroyed || isOpenable.has(app)) return false;
    const running = app.current === null ? undefined : app.releases.get(app.current);
    const isLacking = [...app.config.values(), ...(running?.config.values() ?? [])].some(
      ({ value }) => value !== null && lacksKeyOf(value, keys),
    );
    if (!isLacking) isOpenable.add(app);
    return isLacking;
  });
}

function lacksKeyOf(sealed: Uint8Array, keys: DataKeys): boolean {
  const id = keyIdOf(sealed);
  return id !== null && !keys.has(id);
}
