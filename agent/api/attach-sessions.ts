import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { PlatformError } from '../../src/errors.ts';
import { encodeFrame, FRAME } from '../../src/platform/attach-frames.ts';

export type AttachSession = {
  /** Frames of an attached process: src/platform/attach-frames.ts. */
  readonly stream: Duplex;
  readonly hasTty: boolean;
  /** The client's input is no terminal's: at its end it sends a lone ^D, and fails if we are gone by then. */
  readonly endsInput: boolean;
  /** Aborts when who asked for it may not any more: see `src/platform/grant.ts`. */
  readonly ended: AbortSignal;
};

export const ATTACH_WITHIN_MS = 60_000;
const SESSIONS_MAX = 500;
/** A stream that has not taken its last frame by then is cut. */
const LAST_FRAME_MS = 5_000;

/** Attached processes that wait for their client, by the secret that is in their attach URL. Disposing ends attaches. */
export class AttachSessions implements Disposable {
  readonly #waiting = new Map<string, AttachSession & { readonly timer: NodeJS.Timeout }>();
  readonly #attached = new Set<Duplex>();
  readonly #withinMs: number;

  constructor(withinMs = ATTACH_WITHIN_MS) {
    this.#withinMs = withinMs;
  }

  /** A secret good for one attach within a minute; unless one comes, the process is told and ended. */
  open(session: AttachSession): string {
    if (this.#waiting.size >= SESSIONS_MAX) {
      session.stream.destroy();
      throw new PlatformError(
        'rate_limit',
        `Cannot attach: ${SESSIONS_MAX} dynos wait for their client here`,
        {
          hint: 'Try again in a minute',
        },
      );
    }
    // HTTP methods begin with a letter: the 0 tells an attach from a request on the port they share.
    const secret = `0${randomBytes(32).toString('base64url')}`;
    const timer = setTimeout(() => giveUp(session.stream), this.#withinMs);
    // An error is followed by `close`; who attaches adds listeners of its own.
    session.stream.on('error', () => {});
    this.#waiting.set(secret, { ...session, timer });
    const forget = (): void => this.#forget(secret, session.stream);
    if (session.stream.closed) forget();
    else session.stream.once('close', forget);
    return secret;
  }

  /** The session of a secret, once. */
  take(secret: string): AttachSession | null {
    const session = this.#waiting.get(secret);
    if (session === undefined) return null;
    clearTimeout(session.timer);
    this.#waiting.delete(secret);
    this.#attached.add(session.stream);
    const { stream, hasTty, endsInput, ended } = session;
    return { stream, hasTty, endsInput, ended };
  }

  [Symbol.dispose](): void {
    for (const { stream } of this.#waiting.values()) stream.destroy();
    for (const stream of this.#attached) stream.destroy();
  }

  #forget(secret: string, stream: Duplex): void {
    clearTimeout(this.#waiting.get(secret)?.timer);
    this.#waiting.delete(secret);
    this.#attached.delete(stream);
  }
}

/** Tells the other end that no client came, for its log (R13), and leaves it. */
function giveUp(stream: Duplex): void {
  const cut = setTimeout(() => stream.destroy(), LAST_FRAME_MS);
  stream.once('close', () => clearTimeout(cut));
  stream.end(encodeFrame(FRAME.absent), () => stream.destroy());
}
