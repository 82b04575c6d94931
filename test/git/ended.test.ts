import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { expect, test } from 'vitest';
import { PlatformError } from '../../src/errors.ts';
import { writeFiles } from '../builds/build-peer.ts';
import { FakeHost } from '../builds/fake-host.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { MemoryMesh } from '../slugs/memory-mesh.ts';
import { openGitPeer, workingCopy } from './git-peer.ts';

const WHY = 'This has been ended: the token was revoked';
/** More than connections that stall hold. */
const MUCH = 4 * 1024 ** 2;

async function stage() {
  const host = new FakeHost();
  const right = new AbortController();
  const peer = await openGitPeer('a', host, new MemoryMesh(), [], right.signal);
  const app = host.createApp('blog');
  return {
    host,
    peer,
    app,
    url: peer.url(app),
    endRight: () => right.abort(new PlatformError('forbidden', WHY)),
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}

/** The way to a server, on which nothing goes on once so many bytes went one way, until it is opened. */
async function stallingWay(to: string, way: 'there' | 'back', bytesMax: number) {
  const { promise: stalled, resolve: stall } = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  let isOpen = false;
  const proxy = createServer((client) => {
    const server = connect(Number(new URL(to).port), '127.0.0.1');
    let bytes = 0;
    const [from, into] = way === 'there' ? [client, server] : [server, client];
    into.pipe(from);
    from.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      into.write(chunk);
      if (bytes <= bytesMax || isOpen) return;
      from.pause();
      stall();
      void opened.then(() => from.resume());
    });
    for (const [socket, other] of [[client, server] as const, [server, client] as const]) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => other.destroy());
    }
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const url = new URL(to);
  url.port = String((proxy.address() as AddressInfo).port);
  return {
    url: url.href,
    stalled,
    open: () => {
      isOpen = true;
      open();
    },
    [Symbol.dispose]() {
      proxy.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A buildpack whose builds last until the test says so. */
async function gatedBuilds() {
  const waiting: Socket[] = [];
  const gate = createServer((socket) => void waiting.push(socket.on('error', () => {})));
  gate.listen(0, '127.0.0.1');
  await once(gate, 'listening');
  const { port } = gate.address() as AddressInfo;
  const dir = await tempDir();
  await writeFiles(dir.path, {
    'bin/detect': '#!/bin/sh\necho Slow',
    'bin/compile': `#!/bin/bash\nexec 3<>/dev/tcp/127.0.0.1/${port}\nread -r _ <&3\n`,
  });
  return {
    path: dir.path,
    begun: () => waiting.length > 0,
    open: () => waiting.splice(0).forEach((socket) => socket.end('go\n')),
    async [Symbol.asyncDispose]() {
      gate.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

test('a push whose right ends while it is uploaded is refused, with the reason, and leaves nothing', async () => {
  await using one = await stage();
  await using copy = await workingCopy();
  await copy.commit({ Procfile: 'web: x', big: randomBytes(2_000_000).toString('hex') });
  using way = await stallingWay(one.url, 'there', 300_000);
  const pushed = copy.git('push', way.url, 'main');
  await way.stalled;
  one.endRight();
  const { status, output } = await pushed;
  expect(output).toContain(`remote:  !     Push rejected, ${WHY}`);
  expect(status).not.toBe(0);
  expect(one.host.current(one.app.id).number).toBe(1);
  expect(one.peer.builds.pending(one.app.id)).toEqual([]);
});

test('a build that has begun goes on when the right of its pusher ends, who is told so and hears no more', async () => {
  await using one = await stage();
  await using gated = await gatedBuilds();
  one.host.setBuildpacks(one.app.id, [gated.path]);
  await using copy = await workingCopy();
  await copy.commit({ Procfile: 'web: x' });
  const pushed = copy.git('push', one.url, 'main');
  await eventually(gated.begun);
  one.endRight();
  const { status, output } = await pushed;
  expect(output).toContain(`remote:  !     ${WHY}. What has begun goes on.`);
  expect(status).not.toBe(0);
  expect(one.host.current(one.app.id).number).toBe(1);
  gated.open();
  await eventually(() => one.host.current(one.app.id).number === 2);
  expect(one.host.current(one.app.id).slug).toMatchObject({ processTypes: { web: 'x' } });
});

test('a push that waits for its turn is refused when it comes, if its right has ended', async () => {
  await using one = await stage();
  await using gated = await gatedBuilds();
  one.host.setBuildpacks(one.app.id, [gated.path]);
  await using copy = await workingCopy();
  await using other = await workingCopy();
  await copy.commit({ Procfile: 'web: x' });
  await other.commit({ Procfile: 'web: y' });
  const pushed = copy.git('push', one.url, 'main');
  await eventually(gated.begun);
  const next = spawn('git', ['-C', other.path, 'push', one.url, 'main'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  next.stderr.on('data', (data: Buffer) => (said += data.toString()));
  const ended = once(next, 'close');
  await eventually(() => said.includes('Waiting for another push'));
  one.endRight();
  gated.open();
  await ended;
  expect(said).toContain(`remote:  !     Push rejected, ${WHY}`);
  await pushed;
  expect(one.host.current(one.app.id)).toMatchObject({ number: 2, slug: { processTypes: { web: 'x' } } });
});

test('a fetch ends when its right does', async () => {
  await using one = await stage();
  await using copy = await workingCopy();
  await copy.commit({ Procfile: 'web: x', big: randomBytes(MUCH).toString('base64') });
  expect((await copy.git('push', one.url, 'main:topic')).status).toBe(0);
  using way = await stallingWay(one.url, 'back', 100_000);
  await using other = await workingCopy();
  const fetched = other.git('fetch', way.url, 'topic');
  await way.stalled;
  one.endRight();
  way.open();
  const { status, output } = await fetched;
  expect(status).not.toBe(0);
  expect(output).toMatch(/early EOF|hung up|disconnect|RPC failed/);
  const again = await other.git('fetch', one.url, 'topic');
  expect(again.output).toContain(WHY);
});
