import { PassThrough } from 'node:stream';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import type * as NodePty from '@lydell/node-pty';
import { runCli } from '../../cli/lib/line/run-cli.ts';
import { decodeFrames, encodeFrame, FRAME, type Frame } from '../../src/platform/attach-frames.ts';
import { eventually } from '../helpers/eventually.ts';
import { dynoOf } from './resources.ts';
import { fakeWorld, runKith } from './run-kith.ts';
import { StubApi } from './stub-api.ts';

type Attached = {
  readonly frames: Frame[];
  readonly send: (bytes: Buffer) => void;
  readonly end: () => void;
};

/** A stub whose one-off dynos are played by `dyno`. */
async function startStub(dyno: (attached: Attached) => void): Promise<StubApi> {
  const stub = await StubApi.start();
  stub.on(
    'POST /apps/blog/dynos',
    dynoOf({ name: 'run.7', type: 'run', attach_url: 'rendezvous://elsewhere:1/SECRET' }),
  );
  stub.onUpgrade((message, socket) => {
    if (message.url !== '/kith/attach/SECRET' || message.headers.upgrade !== 'kith-attach') {
      socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    const frames: Frame[] = [];
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: kith-attach\r\n\r\n');
    decodeFrames(socket, (frame) => frames.push(frame));
    dyno({ frames, send: (bytes) => void socket.write(bytes), end: () => void socket.destroy() });
  });
  return stub;
}

function envOf(stub: StubApi): Record<string, string> {
  return { KITH_HOST: stub.host, KITH_TOKEN: 'secret', KITH_APP: 'blog' };
}

const textOf = (frames: readonly Frame[]): string =>
  Buffer.concat(frames.filter(({ type }) => type === FRAME.data).map(({ payload }) => payload)).toString();

test('piped input reaches the dyno with its end, output and status come back', async () => {
  await using stub = await startStub(({ frames, send }) => {
    void eventually(() => frames.some(({ type }) => type === FRAME.eof)).then(() => {
      send(encodeFrame(FRAME.data, Buffer.from(textOf(frames).toUpperCase())));
      send(encodeFrame(FRAME.exit, { status: 3, signal: null }));
    });
  });
  const stdin = 'hello '.repeat(50_000);
  const ran = await runKith(['run', '-e', 'A=1', 'tr', 'a-z', 'A-Z X'], { env: envOf(stub), stdin });
  expect(ran).toEqual({
    status: 3,
    stdout: stdin.toUpperCase(),
    stderr: 'Running tr a-z "A-Z X" on ⬢ blog... up, run.7\n',
  });
  expect(stub.sent('POST /apps/blog/dynos').body).toEqual({
    attach: true,
    command: 'tr a-z "A-Z X"',
    env: { A: '1' },
    force_no_tty: true,
  });
});

test('output that comes with the upgrade is shown, and a signal becomes 128 and its number', async () => {
  await using stub = await startStub(({ send }) => {
    send(
      Buffer.concat([
        encodeFrame(FRAME.data, Buffer.from('early')),
        encodeFrame(FRAME.exit, { status: null, signal: 'SIGKILL' }),
      ]),
    );
  });
  expect(await runKith(['run', 'true'], { env: envOf(stub) })).toMatchObject({
    status: 137,
    stdout: 'early',
  });
});

test('an error of the dyno is told as it was said', async () => {
  await using stub = await startStub(({ send }) => {
    send(encodeFrame(FRAME.error, { code: 'no_capacity', message: 'No peer has room', hint: 'Scale down' }));
  });
  const ran = await runKith(['run', 'true'], { env: envOf(stub) });
  expect(ran.status).toBe(1);
  expect(ran.stderr).toContain(' ›   No peer has room\n ›   Scale down\n');
});

test('a connection that breaks before the end is no success', async () => {
  await using stub = await startStub(({ end }) => end());
  const ran = await runKith(['run', 'true'], { env: envOf(stub) });
  expect(ran.status).toBe(1);
  expect(ran.stderr).toContain('The connection to the dyno was lost');
});

test('a secret that is not known any more is told as what it is', async () => {
  await using stub = await startStub(() => undefined);
  stub.on('POST /apps/blog/dynos', dynoOf({ attach_url: 'rendezvous://elsewhere:1/OLD' }));
  const ran = await runKith(['run', 'true'], { env: envOf(stub) });
  expect(ran.status).toBe(2);
  expect(ran.stderr).toContain('answered with status 404');
});

test('at a terminal its size goes along, changes of it follow, and keys go through raw', async () => {
  const seen: Frame[] = [];
  await using stub = await startStub(({ frames, send }) => {
    send(encodeFrame(FRAME.data, Buffer.from('$ ')));
    void eventually(() => textOf(frames).includes('\u0003q')).then(() => {
      seen.push(...frames);
      send(encodeFrame(FRAME.exit, { status: 0, signal: null }));
    });
  });
  const raw: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (isRaw: boolean) => raw.push(isRaw),
  });
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 100, rows: 30 });
  const world = { ...fakeWorld({ env: { ...envOf(stub), TERM: 'xterm-256color' } }), stdin, stdout };
  const running = runCli(['run', 'bash'], world);
  await eventually(() => raw.length === 1);
  stdout.columns = 120;
  stdout.emit('resize');
  stdin.write('\u0003');
  stdin.write('q');
  expect(await running).toBe(0);
  expect(raw).toEqual([true, false]);
  expect(seen.find(({ type }) => type === FRAME.resize)?.payload.toString()).toBe(
    '{"columns":120,"rows":30}',
  );
  expect(stub.sent('POST /apps/blog/dynos').body).toEqual({
    attach: true,
    command: 'bash',
    env: { TERM: 'xterm-256color', COLUMNS: '100', LINES: '30' },
  });
});

test('four quick Ctrl-C leave a dyno that does not answer', async () => {
  await using stub = await startStub(() => undefined);
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
  const stdout = Object.assign(new PassThrough(), { isTTY: true });
  const running = runCli(['run', 'bash'], { ...fakeWorld({ env: envOf(stub) }), stdin, stdout });
  await eventually(() => stdin.listenerCount('data') > 0);
  for (let i = 0; i < 4; i += 1) stdin.emit('data', Buffer.from([3]));
  expect(await running).toBe(130);
});

test('in a real terminal the program runs attached and leaves the terminal as it was', async () => {
  await using stub = await startStub(({ frames, send }) => {
    send(encodeFrame(FRAME.data, Buffer.from('ready\r\n')));
    void eventually(() => textOf(frames).includes('exit\r')).then(() => {
      send(encodeFrame(FRAME.exit, { status: 5, signal: null }));
    });
  });
  const pty: typeof NodePty = createRequire(import.meta.url)('@lydell/node-pty');
  const main = resolve(import.meta.dirname, '../../cli/main.ts');
  const env = { ...envOf(stub), PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', TERM: 'xterm' };
  const terminal = pty.spawn(process.execPath, [main, 'run', 'bash'], { env, cols: 90, rows: 20 });
  let screen = '';
  terminal.onData((data) => {
    screen += data;
  });
  const ended = new Promise<number>((done) => terminal.onExit(({ exitCode }) => done(exitCode)));
  await eventually(() => screen.includes('ready'), { withinMs: 60_000 });
  terminal.write('exit\r');
  expect(await ended).toBe(5);
  expect(stub.sent('POST /apps/blog/dynos').body).toMatchObject({ env: { COLUMNS: '90', LINES: '20' } });
});
