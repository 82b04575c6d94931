import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { ProviderTokens } from '../../agent/addons/provider-tokens.ts';
import { DataKeys } from '../../agent/keys/data-keys.ts';
import type { AddonId } from '../../src/ids.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const ADDON = randomUUID() as AddonId;
const NOW = 1_000_000;

/** Tokens sealed with the cluster's present key, which `rotate` replaces as the end of a membership does. */
function tokensOf(keys: DataKeys): { readonly tokens: ProviderTokens; readonly rotate: () => void } {
  let current = keys.create();
  const host = {
    seal: (...of: Parameters<PeerHost['seal']>) => keys.seal(current, ...of),
    open: (...of: Parameters<PeerHost['open']>) => keys.open(...of),
  } as PeerHost;
  return { tokens: new ProviderTokens(() => host), rotate: () => void (current = keys.create()) };
}

test('a token is good for its add-on, as what it was made for, until its time is over', async () => {
  await using dir = await tempDir();
  const { tokens } = tokensOf(new DataKeys(dir.path));
  const { text, until } = tokens.make('access', ADDON, NOW);
  expect(tokens.read('access', text, NOW)).toBe(ADDON);
  expect(tokens.read('refresh', text, NOW)).toBeNull();
  expect(tokens.read('access', text, until)).toBeNull();
  expect(tokens.read('access', `${text}A`, NOW)).toBeNull();
});

test('what lets in by itself is made with the present key, what takes a secret besides with any', async () => {
  await using dir = await tempDir();
  const { tokens, rotate } = tokensOf(new DataKeys(dir.path));
  const [access, refresh] = (['access', 'refresh'] as const).map(
    (kind) => tokens.make(kind, ADDON, NOW).text,
  );
  rotate();
  expect(tokens.read('access', access ?? '', NOW)).toBeNull();
  expect(tokens.read('refresh', refresh ?? '', NOW)).toBe(ADDON);
});
