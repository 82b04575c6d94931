import { z } from 'zod';
import { PlatformError } from '../../src/errors.ts';
import type { AddonId } from '../../src/ids.ts';
import type { PeerHost } from '../../src/shell/host.ts';

/** A code is exchanged at once, an access token lives as long as Heroku's. */
const LIFE_MS = { code: 5 * 60_000, access: 8 * 60 * 60_000, refresh: 10 * 365 * 86_400_000 } as const;
type Kind = keyof typeof LIFE_MS;
const KEY = 'addon token';

const content = z.object({
  kind: z.enum(['code', 'access', 'refresh']),
  addon: z.string(),
  until: z.number(),
});

/**
 * What providers prove themselves with, per add-on. A token is what it says, sealed with the cluster's data key: any peer
 * can read it, nobody else can make one, and nothing needs to be stored. It ends with its add-on.
 */
export class ProviderTokens {
  readonly #host: () => PeerHost;

  constructor(host: () => PeerHost) {
    this.#host = host;
  }

  make(kind: Kind, addon: AddonId, now: number): { readonly text: string; readonly until: number } {
    const until = now + LIFE_MS[kind];
    const sealed = this.#host().seal('cluster', KEY, JSON.stringify({ kind, addon, until }));
    return { text: Buffer.from(sealed).toString('base64url'), until };
  }

  /**
   * The add-on that a text is a token of this kind for; null: none, or not any more. A machine that was removed from the
   * cluster holds its earlier keys, and could make tokens with them: what needs no secret besides is good under the present
   * key alone. A provider then gets another by its refresh token.
   */
  read(kind: Kind, text: string, now: number): AddonId | null {
    if (text.length > 1_000 || !/^[A-Za-z0-9_-]+$/.test(text)) return null;
    const said = this.#open(text);
    if (said === null || said.kind !== kind || said.until <= now) return null;
    return kind !== 'access' || said.isOfThisKey ? (said.addon as AddonId) : null;
  }

  #open(text: string): (z.infer<typeof content> & { readonly isOfThisKey: boolean }) | null {
    try {
      const sealed = Buffer.from(text, 'base64url');
      const opened = this.#host().open('cluster', KEY, sealed);
      // Equal texts seal to equal bytes under one key.
      const isOfThisKey = sealed.equals(this.#host().seal('cluster', KEY, opened));
      return { ...content.parse(JSON.parse(opened)), isOfThisKey };
    } catch (error) {
      // Whatever was sent is no token of ours.
      if (error instanceof PlatformError || error instanceof z.ZodError || error instanceof SyntaxError)
        return null;
      throw error;
    }
  }
}

export const ACCESS_SECONDS = LIFE_MS.access / 1_000;
