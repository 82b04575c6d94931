import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { BlobId, PeerId } from '../../src/ids.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import { onJsonLines, sendJson } from '../lib/json-lines.ts';
import type { Tasks } from '../lib/tasks.ts';
import { isBlobId } from './blob-channel.ts';

// The taker says every BEAT_MS that it is still fetching; one that is silent for SILENCE_MS is given up.
const BEAT_MS = 2_000;
const SILENCE_MS = 10_000;
// The longest any one blob may take to get here.
const TAKE_MS = 10 * 60_000;
const LINE_BYTES_MAX = 4096;

/**
 * Offers a blob that is here to `peers`, `copies` at a time, and waits until each holds it durably; where one cannot,
 * the next is asked.
 * @returns those that hold it: fewer than `copies` when there are not enough, or `signal` aborted. Never throws.
 */
export async function offerBlob(
  mesh: Pick<Mesh, 'open'>,
  id: BlobId,
  peers: readonly PeerId[],
  copies: number,
  signal: AbortSignal,
  log: Logger,
): Promise<readonly PeerId[]> {
  const waiting = [...peers];
  const holders: PeerId[] = [];
  const fillOne = async (): Promise<void> => {
    for (let peer = waiting.shift(); peer !== undefined && !signal.aborted; peer = waiting.shift()) {
      try {
        await offerTo(mesh, peer, id, signal);
        holders.push(peer);
        return;
      } catch (err) {
        log.warn({ blob: id, peer, err }, 'peer did not take the blob');
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(copies, peers.length) }, fillOne));
  return holders;
}

async function offerTo(
  mesh: Pick<Mesh, 'open'>,
  peer: PeerId,
  id: BlobId,
  signal: AbortSignal,
): Promise<void> {
  const channel = await mesh.open(
    peer,
    'blob-offer',
    AbortSignal.any([signal, AbortSignal.timeout(SILENCE_MS)]),
  );
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = (): void => reject(new Error('there was no more time'));
  let silence = setTimeout(() => reject(new Error('it is silent')), SILENCE_MS);
  signal.addEventListener('abort', onAbort, { once: true });
  channel.on('error', reject).on('close', () => reject(new Error('the channel closed')));
  onJsonLines(
    channel,
    (value) => {
      clearTimeout(silence);
      silence = setTimeout(() => reject(new Error('it is silent')), SILENCE_MS);
      if (typeof value !== 'object' || value === null || 'beat' in value) return;
      if ('held' in value) resolve();
      else reject(new Error(`it answered ${JSON.stringify(value)}`));
    },
    LINE_BYTES_MAX,
  );
  sendJson(channel, { id });
  try {
    await promise;
  } finally {
    clearTimeout(silence);
    signal.removeEventListener('abort', onAbort);
    channel.destroy();
  }
}

/** Takes what others offer: fetches it from the one that offers, and answers once it is durable. */
export function serveOffers(
  mesh: Pick<Mesh, 'serve'>,
  blobs: Pick<Blobs, 'fetch'>,
  tasks: Tasks,
  log: Logger,
): void {
  mesh.serve('blob-offer', (channel, from) => {
    channel.on('error', (err) => log.debug({ peer: from, err }, 'blob offer broke off'));
    onJsonLines(
      channel,
      (value) => {
        const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : null;
        if (isBlobId(id)) tasks.run('take blob', () => take(channel, from, id, blobs));
        else channel.destroy();
      },
      LINE_BYTES_MAX,
    );
  });
}

async function take(channel: Duplex, from: PeerId, id: BlobId, blobs: Pick<Blobs, 'fetch'>): Promise<void> {
  const beat = setInterval(() => sendJson(channel, { beat: true }), BEAT_MS);
  const gone = new AbortController();
  channel.on('close', () => gone.abort());
  try {
    await blobs.fetch(id, [from], AbortSignal.any([gone.signal, AbortSignal.timeout(TAKE_MS)]));
    sendJson(channel, { held: id });
  } catch (error) {
    if (!channel.destroyed)
      sendJson(channel, { error: error instanceof Error ? error.message : String(error) });
  } finally {
    clearInterval(beat);
    if (!channel.destroyed) channel.end();
  }
}
