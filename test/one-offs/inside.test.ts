import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { PassThrough, type Duplex } from 'node:stream';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Tasks } from '../../agent/lib/tasks.ts';
import { Inside, watched } from '../../agent/one-offs/inside.ts';
import { copyRemotely, execRemotely, serveInside } from '../../agent/one-offs/remote-inside.ts';
import { TarReader } from '../../src/builds/tar-entries.ts';
import type { DynoId, PeerId } from '../../src/ids.ts';
import { decodeFrames, encodeFrame, FRAME, type Frame } from '../../src/platform/attach-frames.ts';
import type { DynoPlace } from '../../src/shell/host.ts';
import type { Logs } from '../../src/shell/logs.ts';
import type { ExecSpec } from '../../src/shell/runtime.ts';
import { eventually } from '../helpers/eventually.ts';
import { MemoryNetwork } from '../helpers/memory-mesh.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { APP_ID } from '../platform/builders.ts';
import { HostRuntime } from './host-runtime.ts';

const log = pino({ level: 'silent' });
const USER = 'ann@example.com';
const spec = (command: string, env = {}): ExecSpec => ({ command, env, tty: null });

/** A dyno at the peer "birch", asked by that peer itself and by "ash". */
async function openBoth() {
  const dir = await tempDir('kith-inside-');
  const network = new MemoryNetwork();
  const ash = network.add('ash');
  const birch = network.add('birch');
  const runtime = new HostRuntime(dir.path);
  const lines: string[] = [];
  const inside = new Inside({
    runtime,
    logs: {
      append: ({ source, process, text }: Parameters<Logs['append']>[0]) =>
        lines.push(`${source}[${process}]: ${text}`),
    },
    tasks: new Tasks(log),
    log,
  });
  serveInside(birch, new Tasks(log), inside);
  const place: DynoPlace = { app: APP_ID, dyno: runtime.dyno, name: 'web.1', peer: birch.self };
  const ways: [string, (asked: ExecSpec, at?: DynoPlace) => Promise<Duplex>][] = [
    ['here', (asked, at = place) => inside.exec(at, asked, USER)],
    ['from another peer', (asked, at = place) => execRemotely(ash, at, asked, USER)],
  ];
  return {
    dir,
    network,
    ash,
    birch,
    runtime,
    lines,
    inside,
    place,
    ways,
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

function listen(stream: Duplex): Frame[] {
  const frames: Frame[] = [];
  decodeFrames(stream, (frame) => frames.push(frame));
  return frames;
}

const isOver = (frames: readonly Frame[]): boolean => (frames.at(-1)?.type ?? FRAME.data) !== FRAME.data;
const textOf = (frames: readonly Frame[]): string =>
  Buffer.concat(frames.filter(({ type }) => type === FRAME.data).map(({ payload }) => payload)).toString();

test('a command runs inside, with its input and environment, and its status comes back', async () => {
  await using stage = await openBoth();
  await writeFile(join(stage.dir.path, 'note'), 'of the dyno');
  for (const [, exec] of stage.ways) {
    const stream = await exec(spec('cat note -; echo " for $WHOM"; exit 7', { WHOM: 'me' }));
    const frames = listen(stream);
    stream.write(encodeFrame(FRAME.data, Buffer.from(' and of the input')));
    stream.write(encodeFrame(FRAME.eof));
    await eventually(() => isOver(frames));
    expect(textOf(frames)).toBe('of the dyno and of the input for me\n');
    expect(frames.at(-1)?.payload.toString()).toBe('{"status":7,"signal":null}');
  }
});

test("the app's log says who ran something or copied what, and nothing that was typed", async () => {
  await using stage = await openBoth();
  await writeFile(join(stage.dir.path, 'note'), 'hello');
  for (const [, exec] of stage.ways) (await exec(spec('echo secret'))).destroy();
  await buffer(await stage.inside.copyOut(stage.place, 'note', USER));
  expect(stage.lines).toEqual([
    'heroku[web.1]: Running a command inside, by user ann@example.com',
    'heroku[web.1]: Running a command inside, by user ann@example.com',
    'heroku[web.1]: Copying "note" out, by user ann@example.com',
  ]);
});

test('a client that vanishes takes its command with it', async () => {
  await using stage = await openBoth();
  for (const [index, [, exec]] of stage.ways.entries()) {
    const stream = await exec(spec('sleep 1000'));
    stream.destroy();
    await eventually(() => stage.runtime.ends.length === index + 1);
  }
  expect(stage.runtime.ends).toEqual(['SIGKILL', 'SIGKILL']);
});

test('resizes reach the command', async () => {
  await using stage = await openBoth();
  for (const [, exec] of stage.ways) {
    const stream = await exec(spec('cat'));
    stream.write(encodeFrame(FRAME.resize, { columns: 120, rows: 40 }));
    await eventually(() => stage.runtime.sizes.pop() === '120 x 40');
    stream.destroy();
  }
});

test('a dyno that is gone is told as what it is, whichever peer is asked', async () => {
  await using stage = await openBoth();
  const gone = { ...stage.place, dyno: 'dyno-0' as DynoId };
  for (const [, exec] of stage.ways) {
    await expect(exec(spec('true'), gone)).rejects.toMatchObject({ code: 'not_found' });
  }
  await expect(copyRemotely(stage.ash, gone, 'note', USER)).rejects.toMatchObject({ code: 'not_found' });
  const away = { ...stage.place, peer: 'cedar' as PeerId };
  await expect(execRemotely(stage.ash, away, spec('true'), USER)).rejects.toThrow(
    'Cannot reach peer "cedar"',
  );
});

test('a dyno that ends in the middle ends the command, also where its status is never heard', async () => {
  await using stage = await openBoth();
  const stdio = new PassThrough();
  stage.runtime.exec = async () => ({
    stdio,
    resize: async () => {},
    ended: Promise.reject(new Error('the keeper went away')),
  });
  const frames = listen(await stage.inside.exec(stage.place, spec('cat'), USER));
  stdio.destroy();
  await eventually(() => isOver(frames));
  expect(frames.at(-1)?.type).toBe(FRAME.error);
  expect(frames.at(-1)?.payload.toString()).toContain('The command inside \\"web.1\\" was lost');
});

test('so many commands at once, and no more; each end makes room', async () => {
  await using stage = await openBoth();
  stage.runtime.exec = async () => ({
    stdio: new PassThrough(),
    resize: async () => {},
    ended: new Promise(() => {}),
  });
  const streams: Duplex[] = [];
  for (let i = 0; i < 100; i += 1) streams.push(await stage.inside.exec(stage.place, spec('cat'), USER));
  await expect(stage.inside.exec(stage.place, spec('cat'), USER)).rejects.toThrow('100 commands run inside');
  streams.pop()?.destroy();
  await eventually(async () => streams.push(await stage.inside.exec(stage.place, spec('cat'), USER)));
  for (const stream of streams) stream.destroy();
});

test('a file is copied out whole, from here and from another peer', async () => {
  await using stage = await openBoth();
  const content = Buffer.alloc(3_000_000, 'of the dyno ');
  await writeFile(join(stage.dir.path, 'large'), content);
  for (const copy of [
    () => stage.inside.copyOut(stage.place, 'large', USER),
    () => copyRemotely(stage.ash, stage.place, 'large', USER),
  ]) {
    const got: Uint8Array[] = [];
    const reader = new TarReader();
    for (const event of reader.push(await buffer(await copy()))) {
      if (event.tag === 'data') got.push(event.chunk);
    }
    reader.finish();
    expect(Buffer.concat(got).equals(content)).toBe(true);
  }
  await expect(copyRemotely(stage.ash, stage.place, 'nothing', USER)).rejects.toThrow(
    'Cannot copy "nothing" out of "web.1": there is no such file',
  );
});

test('a copy that breaks off in the middle does not look whole', async () => {
  await using stage = await openBoth();
  const archive = new PassThrough();
  stage.runtime.copyOut = async () => archive;
  const copy = await copyRemotely(stage.ash, stage.place, 'note', USER);
  archive.write(Buffer.alloc(100_000));
  copy.once('data', () => archive.destroy(new Error('the dyno was stopped')));
  await expect(buffer(copy)).rejects.toThrow();
});

test('a copy that nobody reads is given up', async () => {
  const source = new PassThrough();
  source.on('error', () => undefined);
  const copy = watched(source, 20);
  source.write(Buffer.alloc(1024 * 1024));
  await eventually(() => copy.destroyed && source.destroyed);
});
