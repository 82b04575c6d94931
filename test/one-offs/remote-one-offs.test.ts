import { pino } from 'pino';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { Tasks } from '../../agent/lib/tasks.ts';
import { serveOneOffs, startOnFirst, type RemoteRequest } from '../../agent/one-offs/remote-one-offs.ts';
import { PlatformError } from '../../src/errors.ts';
import type { DynoId, PeerId, ReleaseId } from '../../src/ids.ts';
import type { OneOff } from '../../src/shell/host.ts';
import { eventually } from '../helpers/eventually.ts';
import { MemoryNetwork } from '../helpers/memory-mesh.ts';
import { APP_ID } from '../platform/builders.ts';

const tasks = new Tasks(pino({ level: 'silent' }));
const REQUEST: RemoteRequest = {
  app: APP_ID,
  release: 'r1' as ReleaseId,
  size: 'Basic',
  request: { app: APP_ID, command: 'ls', env: {}, size: null, attach: null, type: 'job', ttlMs: 60_000 },
};

/** Three peers, of which the last two run what they are asked. */
function openPeers() {
  const network = new MemoryNetwork();
  const [ash, birch, cedar] = ['ash', 'birch', 'cedar'].map((name) => network.add(name)) as [
    ReturnType<MemoryNetwork['add']>,
    ReturnType<MemoryNetwork['add']>,
    ReturnType<MemoryNetwork['add']>,
  ];
  const asked: string[] = [];
  const made = (peer: PeerId): OneOff => {
    asked.push(peer);
    return { dyno: 'd' as DynoId, name: 'job.1', peer, release: REQUEST.release, attach: null };
  };
  return { network, ash, birch, cedar, asked, made };
}

test('a peer that cannot be reached is passed over, for another or for this one', async () => {
  const { network, ash, birch, cedar, asked, made } = openPeers();
  const got: RemoteRequest[] = [];
  serveOneOffs(cedar, tasks, async (request) => {
    got.push(request);
    return made(cedar.self);
  });
  network.cut(ash.self, birch.self);
  const here = async (): Promise<OneOff> => made(ash.self);
  const peers = [birch.self, cedar.self, ash.self];
  expect(await startOnFirst(ash, peers, REQUEST, here)).toMatchObject({ peer: 'cedar', name: 'job.1' });
  expect(got).toEqual([REQUEST]);
  network.cut(ash.self, cedar.self);
  expect(await startOnFirst(ash, peers, REQUEST, here)).toMatchObject({ peer: 'ash' });
  expect(asked).toEqual(['cedar', 'ash']);
  await expect(startOnFirst(ash, [birch.self], REQUEST, here)).rejects.toThrow('Cannot reach peer "birch"');
});

test('once a peer was asked no other is, whatever it answers', async () => {
  const { ash, birch, cedar, asked, made } = openPeers();
  serveOneOffs(birch, tasks, async () => {
    throw new PlatformError('disk_full', 'Cannot unpack it here');
  });
  serveOneOffs(cedar, tasks, async () => made(cedar.self));
  const here = async (): Promise<OneOff> => made(ash.self);
  await expect(startOnFirst(ash, [birch.self, cedar.self], REQUEST, here)).rejects.toThrow(
    'Cannot unpack it',
  );
  expect(asked).toEqual([]);
});

test('what was started for a peer that has gone meanwhile is ended', async () => {
  const { ash, birch, made } = openPeers();
  const attach = new PassThrough();
  const { promise: isGone, resolve: go } = Promise.withResolvers<void>();
  let isAsked = false;
  serveOneOffs(birch, tasks, async () => {
    isAsked = true;
    await isGone;
    return { ...made(birch.self), attach };
  });
  const channel = await ash.open(birch.self, 'one-off', AbortSignal.timeout(60_000));
  channel.on('error', () => undefined);
  channel.write(
    `${JSON.stringify({ ...REQUEST, request: { ...REQUEST.request, attach: { tty: null } } })}\n`,
  );
  await eventually(() => isAsked);
  channel.destroy();
  go();
  await eventually(() => attach.destroyed);
});
