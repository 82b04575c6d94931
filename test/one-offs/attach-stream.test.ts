import { once } from 'node:events';
import { Duplex, PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { AttachStream } from '../../agent/one-offs/attach-stream.ts';
import { PlatformError } from '../../src/errors.ts';
import { decodeFrames, encodeFrame, FRAME, type Frame } from '../../src/platform/attach-frames.ts';
import { eventually } from '../helpers/eventually.ts';

const LONG = { idleMs: 60_000, flushMs: 60_000 };

function open(stdio: Duplex, limits = LONG) {
  const told: string[] = [];
  const stream = new AttachStream(
    stdio,
    {
      resize: (columns, rows) => told.push(`${columns} x ${rows}`),
      hangUp: (why) => told.push(why),
    },
    limits,
  );
  return { stream, told };
}

function listen(stream: AttachStream): Frame[] {
  const frames: Frame[] = [];
  decodeFrames(stream, (frame) => frames.push(frame));
  return frames;
}

const textOf = (frames: readonly Frame[]): string =>
  frames.map(({ type, payload }) => `${type} ${payload.toString()}`).join('\n');

test('what is typed, the size and the end of input reach the process, and its words come back', async () => {
  const typed: string[] = [];
  let isEnded = false;
  const stdio = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      typed.push(chunk.toString());
      done();
    },
    final(done) {
      isEnded = true;
      done();
    },
  });
  const { stream, told } = open(stdio);
  const frames = listen(stream);
  stream.write(
    Buffer.concat([
      encodeFrame(FRAME.data, Buffer.from('ls\n')),
      encodeFrame(FRAME.resize, { columns: 100, rows: 30 }),
      encodeFrame(FRAME.eof),
    ]),
  );
  stdio.push('README\n');
  await eventually(() => isEnded && frames.length === 1);
  expect(typed).toEqual(['ls\n']);
  stream.exit({ status: 4, signal: null });
  stdio.push(null);
  await once(stream, 'end');
  expect(textOf(frames)).toBe('0 README\n\n2 {"status":4,"signal":null}');
  expect(told).toEqual(['100 x 30']);
});

test('the exit comes after all output, however slowly that is read', async () => {
  const stdio = new PassThrough();
  const { stream } = open(stdio, { idleMs: 60_000, flushMs: 20 });
  stdio.end(Buffer.alloc(4 * 1024 * 1024, 'x'));
  stream.exit({ status: 0, signal: null });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const frames = listen(stream);
  await once(stream, 'end');
  const bytes = frames.reduce(
    (sum, { type, payload }) => sum + (type === FRAME.data ? payload.length : 0),
    0,
  );
  expect(bytes).toBe(4 * 1024 * 1024);
  expect(frames.at(-1)?.type).toBe(FRAME.exit);
});

test('output that something else holds open is waited for only so long', async () => {
  const stdio = new PassThrough();
  const { stream, told } = open(stdio, { idleMs: 60_000, flushMs: 20 });
  const frames = listen(stream);
  stdio.write('the last words');
  stream.exit({ status: 0, signal: null });
  await once(stream, 'end');
  expect(textOf(frames)).toBe('0 the last words\n2 {"status":0,"signal":null}');
  expect(stdio.destroyed).toBe(true);
  expect(told).toEqual([]);
});

test('a client that leaves hangs up once, whether its bytes end or its stream breaks', async () => {
  for (const leave of [
    (stream: AttachStream) => stream.end(),
    (stream: AttachStream) => stream.destroy(),
    (stream: AttachStream) => stream.end(() => stream.destroy()),
  ]) {
    const stdio = new PassThrough();
    const { stream, told } = open(stdio);
    leave(stream);
    await once(stream, 'close');
    expect(told).toEqual(['left']);
    expect(stdio.destroyed).toBe(true);
  }
});

test('after the exit nobody hangs up any more', async () => {
  const stdio = new PassThrough();
  const { stream, told } = open(stdio);
  listen(stream);
  stdio.end();
  stream.exit({ status: 0, signal: null });
  await once(stream, 'end');
  stream.destroy();
  await once(stream, 'close');
  expect(told).toEqual([]);
});

test('a client that never came is told apart from one that left', async () => {
  const { stream, told } = open(new PassThrough());
  stream.end(encodeFrame(FRAME.absent), () => stream.destroy());
  await once(stream, 'close');
  expect(told).toEqual(['absent']);
});

test('without a byte either way it is closed, and says why', async () => {
  const { stream, told } = open(new PassThrough(), { idleMs: 30, flushMs: 20 });
  const frames = listen(stream);
  await once(stream, 'close');
  expect(frames.map(({ type }) => type)).toEqual([FRAME.error]);
  expect(textOf(frames)).toContain('without input or output');
  expect(told).toEqual(['left']);
});

test('a reader that takes nothing at all is cut off in the end', async () => {
  const stdio = new PassThrough();
  const { stream, told } = open(stdio, { idleMs: 30, flushMs: 20 });
  stdio.write(Buffer.alloc(1024 * 1024));
  await once(stream, 'close');
  expect(told).toEqual(['left']);
});

test('an end that nobody knows of is an error in words', async () => {
  const stdio = new PassThrough();
  const { stream } = open(stdio);
  const frames = listen(stream);
  stdio.destroy();
  stream.fail(new PlatformError('unavailable', 'It was lost'));
  await once(stream, 'end');
  expect(textOf(frames)).toBe('4 {"code":"unavailable","message":"It was lost"}');
});

test('bytes that are no frames break the stream and hang up', async () => {
  const { stream, told } = open(new PassThrough());
  stream.write(Buffer.from([255, 0, 0, 0, 0]));
  await eventually(() => stream.destroyed && told.length > 0);
  expect(told).toEqual(['left']);
});
