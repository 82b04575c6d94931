import { randomBytes, randomUUID } from 'node:crypto';
import { PlatformError } from '../../src/errors.ts';
import type { AppId } from '../../src/ids.ts';
import type { Grant } from '../../src/platform/grant.ts';
import type { LogFilter } from '../../src/logs/line.ts';

export type LogSession = {
  readonly id: string;
  readonly app: AppId;
  /** Of who asked for it: the URL is good for no longer. */
  readonly grant: Grant;
  readonly lines: number;
  readonly tail: boolean;
  readonly filter: LogFilter;
  readonly createdAt: number;
};

type Held = { readonly session: LogSession; readers: number; timer: NodeJS.Timeout };

/** How long a log URL works after it was made or last used, as on Heroku. */
export const LOG_SESSION_KEPT_MS = 6 * 60_000;
const SESSIONS_MAX = 1_000;

/** Log sessions by the secret in their URL. */
export class LogSessions implements Disposable {
  readonly #held = new Map<string, Held>();
  readonly #keptMs: number;

  constructor(keptMs = LOG_SESSION_KEPT_MS) {
    this.#keptMs = keptMs;
  }

  open(fields: Omit<LogSession, 'id' | 'createdAt'>): {
    readonly session: LogSession;
    readonly secret: string;
  } {
    if (this.#held.size >= SESSIONS_MAX) {
      throw new PlatformError('rate_limit', `Cannot open a log session: ${SESSIONS_MAX} are open here`, {
        hint: 'Try again in a few minutes, or at another peer',
      });
    }
    const secret = randomBytes(32).toString('base64url');
    const session = { ...fields, id: randomUUID(), createdAt: Date.now() };
    this.#held.set(secret, { session, readers: 0, timer: this.#expireLater(secret) });
    return { session, secret };
  }

  /** The session, kept for as long as somebody reads it: a tail comes back to the same URL. `release` says that it ended. */
  read(secret: string): { readonly session: LogSession; readonly release: () => void } | null {
    const held = this.#held.get(secret);
    if (held === undefined) return null;
    held.readers += 1;
    clearTimeout(held.timer);
    const release = (): void => {
      held.readers -= 1;
      if (held.readers === 0 && this.#held.has(secret)) held.timer = this.#expireLater(secret);
    };
    return { session: held.session, release };
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#held.values()) clearTimeout(timer);
    this.#held.clear();
  }

  #expireLater(secret: string): NodeJS.Timeout {
    return setTimeout(() => this.#held.delete(secret), this.#keptMs);
  }
}
