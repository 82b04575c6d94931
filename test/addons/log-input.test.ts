import { expect, test } from 'vitest';
import { DataKeys } from '../../agent/keys/data-keys.ts';
import { logInputUrl, mayInputLogs } from '../../agent/lib/log-input.ts';
import type { AddonId } from '../../src/ids.ts';
import type { PeerHost, SealOwner } from '../../src/shell/host.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const ADDON = 'a0000000-0000-4000-8000-000000000001' as AddonId;

function basicOf(url: string): string {
  const { username, password } = new URL(url);
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

test('a log_input_url is good until the cluster has another data key, as after the removal of a machine', async () => {
  await using dir = await tempDir('kith-log-input-');
  const keys = new DataKeys(dir.path);
  let current = keys.create();
  const host = {
    seal: (owner: SealOwner, name: string, value: string) => keys.seal(current, owner, name, value),
  } as unknown as PeerHost;
  const before = basicOf(logInputUrl(host, ADDON, '127.0.0.1:5000'));
  expect(mayInputLogs(host, ADDON, before)).toBe(true);
  current = keys.create();
  expect(mayInputLogs(host, ADDON, before)).toBe(false);
  expect(mayInputLogs(host, ADDON, basicOf(logInputUrl(host, ADDON, '127.0.0.1:5000')))).toBe(true);
  for (const wrong of [undefined, 'Basic', 'Basic !!', `Basic ${Buffer.from('token:t.').toString('base64')}`])
    expect(mayInputLogs(host, ADDON, wrong)).toBe(false);
});
