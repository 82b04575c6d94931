import { randomBytes } from 'node:crypto';
import { PlatformError } from '../../src/errors.ts';
import type { AppId } from '../../src/ids.ts';
import type { UserEmail } from '../../src/ledger/values.ts';
import type { Grant } from '../../src/platform/grant.ts';

const KEPT_MS = 3_600_000;
const UPLOADS_MAX = 200;

/** A slug that a client has announced and is to send. */
export type SlugUpload = {
  readonly id: string;
  readonly app: AppId;
  readonly user: UserEmail;
  /** Of who announced it: its URL is good for no longer. */
  readonly grant: Grant;
  readonly processTypes: Readonly<Record<string, string>>;
  readonly commit: string | null;
  /** SHA-256 in hex. */
  readonly checksum: string | null;
  readonly buildpack: string | null;
  readonly at: number;
};

/** Slugs that were announced here, by the secret in the URL that they are to be put to. */
export class SlugUploads implements Disposable {
  readonly #held = new Map<string, { readonly upload: SlugUpload; readonly timer: NodeJS.Timeout }>();

  open(upload: SlugUpload): string {
    if (this.#held.size >= UPLOADS_MAX) {
      throw new PlatformError('rate_limit', `Cannot take a slug: ${UPLOADS_MAX} are announced here`, {
        hint: 'Try again later, or at another peer',
      });
    }
    const secret = randomBytes(32).toString('base64url');
    const timer = setTimeout(() => this.#held.delete(secret), KEPT_MS);
    this.#held.set(secret, { upload, timer });
    return secret;
  }

  mustFind(secret: string): SlugUpload {
    const held = this.#held.get(secret);
    if (held !== undefined) return held.upload;
    throw new PlatformError('not_found', "Couldn't find that slug.", {
      resource: 'slug',
      hint: 'The URL of a slug is good for an hour: announce it again',
    });
  }

  /** The one of an id that was given out here, with its secret. */
  find(id: string): { readonly secret: string; readonly upload: SlugUpload } | null {
    for (const [secret, { upload }] of this.#held) if (upload.id === id) return { secret, upload };
    return null;
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#held.values()) clearTimeout(timer);
    this.#held.clear();
  }
}
