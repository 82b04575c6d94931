import type { Duplex } from 'node:stream';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { DataKeys } from '../../agent/keys/data-keys.ts';
import { openKeyExchange } from '../../agent/keys/key-exchange.ts';
import { callPeer, serveCalls } from '../../agent/lib/peer-call.ts';
import { Tasks } from '../../agent/lib/tasks.ts';
import { serveOneOffs, startOnFirst, type RemoteRequest } from '../../agent/one-offs/remote-one-offs.ts';
import type { View } from '../../src/ledger/view.ts';
import { PlatformError } from '../../src/errors.ts';
import { eventually } from '../helpers/eventually.ts';
import { MemoryNetwork } from '../helpers/memory-mesh.ts';
import { tempDir } from '../helpers/temp-dir.ts';

/*
 * A member may be broken, of another version, or taken over: whatever it says on a channel, this agent lives and says
 * what was wrong. An exception in a stream's handler would end it.
 */
const log = pino({ level: 'silent' });
const JUNK = [
  'null\n',
  '5\n',
  '"x"\n',
  '[]\n',
  '{}\n',
  '{"ok":false}\n',
  '{"ok":"yes"}\n',
  'no json\n',
  '\0\n',
];
const REQUEST = {
  app: 'app',
  release: 'release',
  size: 'Basic',
  request: { app: 'app', command: 'ls', env: {}, size: null, attach: null },
} as unknown as RemoteRequest;

function twoPeers() {
  const network = new MemoryNetwork();
  return { ash: network.add('ash'), birch: network.add('birch') };
}

/** Opens a service, says something, and collects the answer until the other side has ended. */
async function say(
  { ash, birch }: ReturnType<typeof twoPeers>,
  service: string,
  text: string,
): Promise<string> {
  const channel = await ash.open(birch.self, service, AbortSignal.timeout(60_000));
  const chunks: Buffer[] = [];
  channel.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined);
  channel.write(text);
  await eventually(() => channel.readableEnded || channel.destroyed || text === '', {
    withinMs: 40_000,
  }).catch(() => undefined);
  channel.destroy();
  return Buffer.concat(chunks).toString('utf8');
}

test('whatever a peer answers to a question, the one that asked gets an error in words', async () => {
  for (const junk of JUNK) {
    const { ash, birch } = twoPeers();
    birch.serve('ask', (channel: Duplex) => {
      channel.on('error', () => undefined);
      channel.write(junk);
    });
    const asked = callPeer(ash, birch.self, 'ask', {}, 20_000);
    await expect(asked, junk).rejects.toThrow('Peer "birch" did not answer "ask"');
  }
});

test('a peer that answers without end, or never, is given up', async () => {
  const { ash, birch } = twoPeers();
  birch.serve('flood', (channel: Duplex) => {
    const flood = (): void => {
      while (!channel.destroyed && channel.write(Buffer.alloc(64 * 1024, 'x'))) continue;
    };
    channel.on('error', () => undefined).on('drain', flood);
    flood();
  });
  birch.serve('silence', (channel: Duplex) => void channel.on('error', () => undefined));
  await expect(callPeer(ash, birch.self, 'flood', {}, 60_000)).rejects.toThrow('did not answer "flood"');
  await expect(callPeer(ash, birch.self, 'silence', {}, 100)).rejects.toThrow('did not answer "silence"');
});

test('a question that is no JSON is dropped, a second one on a channel is not heard', async () => {
  const peers = twoPeers();
  let heard = 0;
  serveCalls(peers.birch, 'ask', async () => (heard += 1));
  expect(await say(peers, 'ask', '{"a":\n')).toBe('');
  expect(await say(peers, 'ask', '{}\n{}\n{}\n')).toBe('{"ok":true,"value":1}\n');
  expect(heard).toBe(1);
});

test('what a handler throws tells a peer nothing of its inside', async () => {
  const { ash, birch } = twoPeers();
  serveCalls(birch, 'ask', async () => {
    throw new Error('secret detail');
  });
  const error = await callPeer(ash, birch.self, 'ask', {}, 60_000).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(PlatformError);
  expect(JSON.stringify((error as PlatformError).toRecord())).not.toContain('secret');
});

test('a peer that asks for a one-off in nonsense is refused, and nothing is started', async () => {
  const peers = twoPeers();
  const tasks = new Tasks(log);
  let started = 0;
  serveOneOffs(peers.birch, tasks, async () => {
    started += 1;
    throw new Error('never');
  });
  const wrong = [
    ...JUNK,
    JSON.stringify({ ...REQUEST, size: 'HUGE' }),
    JSON.stringify({ ...REQUEST, request: { ...REQUEST.request, command: 5 } }),
    JSON.stringify({
      ...REQUEST,
      request: { ...REQUEST.request, attach: { tty: { columns: -1, rows: 1, term: '' } } },
    }),
    JSON.stringify({ ...REQUEST, request: { ...REQUEST.request, env: { A: {} } } }),
  ];
  for (const text of wrong) {
    const answer = await say(peers, 'one-off', text.endsWith('\n') ? text : `${text}\n`);
    expect(JSON.parse(answer), text).toMatchObject({ ok: false });
  }
  expect(started).toBe(0);
});

test('a peer that answers a one-off in nonsense is an error in words', async () => {
  for (const junk of JUNK) {
    const { ash, birch } = twoPeers();
    birch.serve('one-off', (channel: Duplex) => {
      channel.on('error', () => undefined);
      channel.write(junk);
    });
    const here = (): never => expect.fail('the other peer is there');
    const asked = startOnFirst(ash, [birch.self], REQUEST, here);
    await expect(asked, junk).rejects.toThrow(PlatformError);
  }
});

test('data keys go to members only, and only keys are taken', async () => {
  await using ashDir = await tempDir();
  await using birchDir = await tempDir();
  const { ash, birch } = twoPeers();
  const ashKeys = new DataKeys(ashDir.path);
  const birchKeys = new DataKeys(birchDir.path);
  const current = birchKeys.create();
  let state: 'member' | 'removed' = 'removed';
  const viewOf = (): View =>
    ({
      dataKey: current,
      ca: null,
      apps: new Map(),
      members: new Map([[ash.self, { state }]]),
    }) as unknown as View;
  const stop = new AbortController();
  const parts = { tasks: new Tasks(log), log, view: viewOf, signal: stop.signal };
  openKeyExchange({ ...parts, mesh: birch, keys: birchKeys });
  expect(await callPeer(ash, birch.self, 'data-keys', {}, 60_000)).toEqual({});
  state = 'member';
  openKeyExchange({ ...parts, mesh: ash, keys: ashKeys }).want();
  await eventually(() => ashKeys.has(current));
  stop.abort();
});

test('a key that only old values need, after both sides of a split rotated it, is fetched as well', async () => {
  await using ashDir = await tempDir();
  await using birchDir = await tempDir();
  const { ash, birch } = twoPeers();
  const ashKeys = new DataKeys(ashDir.path);
  const birchKeys = new DataKeys(birchDir.path);
  const other = birchKeys.create();
  const value = birchKeys.seal(other, 'app' as never, 'KEY', 'kept');
  const app = {
    destroyed: false,
    current: 'r',
    config: new Map(),
    releases: new Map([['r', { config: new Map([['KEY', { value }]]) }]]),
  };
  const current = ashKeys.create();
  const members = new Map([[ash.self, { state: 'member' }]]);
  const view = { dataKey: current, ca: null, apps: new Map([['app', app]]), members } as unknown as View;
  const stop = new AbortController();
  const parts = { tasks: new Tasks(log), log, view: () => view, signal: stop.signal };
  openKeyExchange({ ...parts, mesh: birch, keys: birchKeys });
  openKeyExchange({ ...parts, mesh: ash, keys: ashKeys }).want();
  await eventually(() => ashKeys.has(other));
  expect(ashKeys.open('app' as never, 'KEY', value)).toBe('kept');
  stop.abort();
});
