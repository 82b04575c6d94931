import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { blobsInReach } from '../../src/blobs/reach.ts';
import { PlatformError } from '../../src/errors.ts';
import type { BlobId } from '../../src/ids.ts';
import type { UserEmail } from '../../src/ledger/values.ts';
import { whyEnded } from '../../src/platform/grant.ts';
import type { Entry } from '../../src/platform/grant.ts';
import type { View } from '../../src/ledger/view.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import { CheckedStream, mismatch, parseChecksum } from '../lib/checked-stream.ts';
import { limitBytes } from './limit-bytes.ts';

export const SOURCE_KEPT_MS = 3_600_000;
/** https://devcenter.heroku.com/articles/slug-compiler: an uncompressed checkout holds at most 1 GB. */
const SOURCE_BYTES_MAX = 1024 ** 3;
const SOURCES_MAX = 200;
/** Or else one user could take all the places, for an hour. */
const SOURCES_OF_USER_MAX = 100;
const FETCH_WITHIN_MS = 10 * 60_000;

type Held = {
  blob: BlobId | null;
  readonly user: UserEmail;
  /** Of who asked for the URL, which is good for no longer. */
  readonly entry: Entry;
  readonly timer: NodeJS.Timeout;
};

/** Source archives that wait for their build, by the secret in the URL that they were put to. */
export class Sources implements Disposable {
  readonly #blobs: Blobs;
  readonly #view: () => View;
  readonly #onError: (error: unknown) => void;
  readonly #held = new Map<string, Held>();

  constructor(blobs: Blobs, view: () => View, onError: (error: unknown) => void) {
    this.#blobs = blobs;
    this.#view = view;
    this.#onError = onError;
  }

  /** A secret that one archive may be put under within the hour. */
  open(user: UserEmail, entry: Entry): string {
    const own = [...this.#held.values()].filter((held) => held.user === user).length;
    if (this.#held.size >= SOURCES_MAX || own >= SOURCES_OF_USER_MAX) {
      throw new PlatformError(
        'rate_limit',
        `Cannot take a source: ${this.#held.size} wait for their build here, ${own} of them yours`,
        {
          hint: 'Try again later, or at another peer',
        },
      );
    }
    const secret = randomBytes(32).toString('base64url');
    const timer = setTimeout(() => {
      this.#forget(secret).catch(this.#onError);
    }, SOURCE_KEPT_MS);
    this.#held.set(secret, { blob: null, user, entry, timer });
    return secret;
  }

  /** By what its URL was asked for. */
  entryOf(secret: string): Entry {
    return this.#mustFind(secret).entry;
  }

  async put(secret: string, archive: Readable): Promise<void> {
    const held = this.#mustFind(secret);
    const { id } = await this.#blobs.write(archive.compose(limitBytes('source', SOURCE_BYTES_MAX)));
    const before = held.blob;
    held.blob = id;
    await this.drop(before);
  }

  /** The archive under a secret. */
  read(secret: string): Readable {
    const { blob } = this.#mustFind(secret);
    if (blob !== null) return createReadStream(this.#blobs.path(blob));
    throw new PlatformError('not_found', 'Cannot read the source: nothing was put under its URL yet', {
      resource: 'source',
      hint: 'PUT a .tar.gz to its put_url first',
    });
  }

  /** The archive at a source URL: one of ours, or any that can be fetched. It breaks where its checksum is another. */
  async readUrl(url: string, checksum: string | null): Promise<Readable> {
    const secret = secretOf(url);
    const isHeld = secret !== null && this.#held.has(secret);
    const archive = isHeld ? this.read(secret) : await fetchArchive(url);
    return checksum === null
      ? archive
      : archive.compose(new CheckedStream('source', parseChecksum(checksum)));
  }

  /**
   * The archive at a source URL as a blob, for as long as the ledger names it.
   * @param checksum what it must be, as `SHA256:…`; null: whatever it is
   */
  async keep(url: string, checksum: string | null): Promise<BlobId> {
    const wanted = checksum === null ? null : parseChecksum(checksum);
    const secret = secretOf(url);
    if (secret !== null && this.#held.has(secret)) {
      const { blob } = this.#mustFind(secret);
      if (blob === null) this.read(secret);
      else if (wanted === null || blob === wanted) return blob;
      else throw mismatch('source', wanted, blob);
    }
    const { id } = await this.#blobs.write(
      (await fetchArchive(url)).compose(new CheckedStream('source', wanted)),
    );
    return id;
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#held.values()) clearTimeout(timer);
    this.#held.clear();
  }

  #mustFind(secret: string): Held {
    const held = this.#held.get(secret);
    if (held === undefined) {
      throw new PlatformError('not_found', "Couldn't find that source.", {
        resource: 'source',
        hint: 'A source URL is good for an hour: POST /sources makes a new one',
      });
    }
    const why = whyEnded(this.#view(), held.entry, Date.now());
    if (why === null) return held;
    throw new PlatformError('forbidden', `Cannot use this URL of a source any more: ${why}`);
  }

  async #forget(secret: string): Promise<void> {
    const blob = this.#held.get(secret)?.blob ?? null;
    this.#held.delete(secret);
    await this.drop(blob);
  }

  /** Lets go of what `keep` gave, or of any archive: unless something needs it, it goes. */
  async drop(blob: BlobId | null): Promise<void> {
    const isHeld = [...this.#held.values()].some((held) => held.blob === blob);
    // Somebody may have put a file here that the ledger names: it stays.
    if (blob !== null && !isHeld && !blobsInReach(this.#view()).has(blob)) await this.#blobs.remove(blob);
  }
}

/** The secret of one of our own URLs, as this or another peer gave it out. */
function secretOf(url: string): string | null {
  return /\/sources\/([A-Za-z0-9_-]+)$/.exec(url)?.[1] ?? null;
}

async function fetchArchive(url: string): Promise<Readable> {
  if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : '')) {
    throw new PlatformError('invalid_params', `Cannot fetch the source: "${url.slice(0, 200)}" is no URL`, {
      hint: 'A source_blob has an http or https URL: POST /sources makes one',
    });
  }
  let found: Response;
  try {
    found = await fetch(url, { signal: AbortSignal.timeout(FETCH_WITHIN_MS) });
  } catch (cause) {
    throw new PlatformError('invalid_params', `Cannot fetch the source from "${new URL(url).host}"`, {
      hint: 'This peer must reach the URL of the source_blob',
      cause,
    });
  }
  if (found.ok && found.body !== null)
    return Readable.fromWeb(found.body).compose(limitBytes('source', SOURCE_BYTES_MAX));
  await found.body?.cancel();
  throw new PlatformError(
    'invalid_params',
    `Cannot fetch the source: "${new URL(url).host}" answered with status ${found.status}`,
  );
}
