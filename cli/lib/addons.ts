import type { AddonResource } from '../../src/platform/addon.ts';
import { UsageError } from './line/cli-error.ts';
import type { Client } from './api/client.ts';
import { poll } from './api/poll.ts';
import type { World } from './line/world.ts';

/** Providers may take twelve hours; who waits for that has gone to bed. */
const WAIT_MS = 60 * 60_000;

/** An add-on by any of its names, in the app if one is named. */
export async function findAddon(api: Client, name: string, app: string | null): Promise<AddonResource> {
  const found = await api.post<readonly AddonResource[]>('/actions/addons/resolve', { addon: name, app });
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new UsageError(
    `"${name}" could be ${found.map((addon) => addon.name).join(' or ')}`,
    'Name one by its own name',
  );
}

export function addonPath({ app, id }: AddonResource): string {
  return `/apps/${encodeURIComponent(app.id)}/addons/${id}`;
}

/**
 * What stands behind `--`, for the provider: `--fork blog --fast` is `{fork: 'blog', fast: 'true'}`.
 * @throws UsageError for a word that belongs to no option
 */
export function parseOptions(words: readonly string[]): Readonly<Record<string, string>> {
  const options: Record<string, string> = {};
  for (let at = 0; at < words.length; at += 1) {
    const [, name, inline] = /^--([A-Za-z][\w-]*)(?:=(.*))?$/s.exec(words[at] ?? '') ?? [];
    if (name === undefined) {
      throw new UsageError(
        `"${words[at]}" is no option for the provider`,
        'Write options as -- --name value',
      );
    }
    const next = words[at + 1];
    const isFlag = inline === undefined && (next === undefined || next.startsWith('--'));
    options[name] = inline ?? (isFlag || next === undefined ? 'true' : next);
    if (inline === undefined && !isFlag) at += 1;
  }
  return options;
}

/** `acme-redis:mini`: `$5/month`, `free`. */
export function formatPrice(cents: number): string {
  if (cents === 0) return 'free';
  return `$${cents % 100 === 0 ? cents / 100 : (cents / 100).toFixed(2)}/month`;
}

/** Waits until its provider has made an add-on, or has failed to. */
export function untilProvisioned(api: Client, world: World, addon: AddonResource): Promise<AddonResource> {
  return poll(
    async () => {
      const now = await api.get<AddonResource>(addonPath(addon));
      return now.state === 'provisioning' ? null : now;
    },
    {
      everyMs: world.pollMs,
      withinMs: WAIT_MS,
      lateMessage: `"${addon.name}" is not provisioned after an hour`,
      hint: 'Its provider is still at it: see `kith addons:info`',
    },
  );
}
