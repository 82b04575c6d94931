import { setTimeout as sleep } from 'node:timers/promises';
import type { VolumeInfoResource, VolumeResource } from '../../src/platform/volume.ts';
import type { Client } from './api/client.ts';
import { UsageError } from './line/cli-error.ts';
import type { Paint } from './print/paint.ts';

/** Of a copy nobody knows how long it takes; the peers end what hangs. */
export const COPY_MS = 6 * 3_600_000;
const LOOK_MS = 1_000;

export function volumesPath(app: string, volume = ''): string {
  const path = `/kith/apps/${encodeURIComponent(app)}/volumes`;
  return volume === '' ? path : `${path}/${encodeURIComponent(volume)}`;
}

/** Of the backups that peers keep, or of one of them. */
export function backupsPath(app: string, backup = ''): string {
  const path = `/kith/apps/${encodeURIComponent(app)}/volume-backups`;
  return backup === '' ? path : `${path}/${encodeURIComponent(backup)}`;
}

export function paintVolumeState({ state }: VolumeResource, paint: Paint): string {
  return state === 'ready' ? paint.green(state) : paint.yellow(state);
}

/** `web:/app/data`, or nothing. */
export function formatMount({ mount }: VolumeResource): string {
  return mount === null ? '' : `${mount.type}:${mount.path}`;
}

/** `web:/app/data` as its parts. */
export function parseMount(text: string): { readonly type: string; readonly path: string } {
  const colon = text.indexOf(':');
  if (colon > 0 && text[colon + 1] === '/')
    return { type: text.slice(0, colon), path: text.slice(colon + 1) };
  throw new UsageError(
    `"${text}" does not say what mounts the volume, and where`,
    'Write TYPE:/PATH, as in web:/app/data',
  );
}

/** Says what the volume's peer is doing while `work` goes on. */
export async function whileTold<T>(
  api: Client,
  path: string,
  update: (status: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const tell = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await sleep(LOOK_MS, undefined, { signal: over.signal });
      const { doing } = await api.get<VolumeInfoResource>(path, { signal: over.signal });
      if (doing !== null) update(doing);
    }
  };
  // What cannot be told, or not any more, is no failure of the work.
  const telling = tell().catch(() => {});
  try {
    return await work();
  } finally {
    over.abort();
    await telling;
  }
}
