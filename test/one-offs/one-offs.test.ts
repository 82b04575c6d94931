import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { madeBefore } from '../../agent/one-offs/took-one-offs.ts';
import type { OneOffFact, PeerFacts, Verdict } from '../../src/facts.ts';
import type { DynoId, PeerId, ReleaseId, VolumeId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { SlotVolume } from '../../src/placement/types.ts';
import { encodeFrame, FRAME, FrameDecoder, type Frame } from '../../src/platform/attach-frames.ts';
import type { OneOffRequest, PeerStatus } from '../../src/shell/host.ts';
import { app, APP_ID } from '../platform/builders.ts';
import { openStage, release, type Stage } from './played-runtime.ts';

const ATTACHED: OneOffRequest = {
  app: APP_ID,
  command: 'bash',
  env: {},
  size: null,
  attach: { tty: null },
};
const DETACHED: OneOffRequest = { ...ATTACHED, attach: null };
const WAIT = { timeout: 20_000 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What is said of the dyno, without its name. */
const saidIn = ({ lines }: Stage): readonly string[] => lines.map((line) => line.replace(/^.*?\]: /, ''));

test('a command that ends before its client is attached is heard out, with its status', async () => {
  const { runtime, oneOffs } = openStage();
  runtime.onStart = (dyno) => {
    runtime.stdio.end('hello');
    runtime.exit(dyno, 3);
  };
  const { attach } = await oneOffs.start(app(), release, ATTACHED, 'Basic');
  const decoder = new FrameDecoder();
  const frames: Frame[] = [];
  attach?.on('data', (chunk: Buffer) => frames.push(...decoder.push(chunk)));
  await vi.waitUntil(() => frames.at(-1)?.type === FRAME.exit, WAIT);
  expect(frames[0]?.payload.toString()).toBe('hello');
  expect(JSON.parse(frames.at(-1)?.payload.toString() ?? '')).toEqual({ status: 3, signal: null });
});

test('a detached command that ends at once is not shown as running ever after', async () => {
  const { runtime, oneOffs, published } = openStage();
  runtime.onStart = (dyno) => runtime.exit(dyno, 0);
  const { dyno } = await oneOffs.start(app(), release, DETACHED, 'Basic');
  expect(published.at(-1)).toEqual([]);
  await vi.waitUntil(() => runtime.removed.includes(dyno), WAIT);
});

test('a client that leaves ends its dyno: SIGHUP four times, then R16 and SIGKILL', async () => {
  const stage = openStage();
  const { runtime, oneOffs } = stage;
  runtime.onSignal = (dyno, signal) => {
    if (signal === 'SIGKILL') runtime.exit(dyno, null, signal);
  };
  const { attach } = await oneOffs.start(app(), release, ATTACHED, 'Basic');
  attach?.destroy();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(runtime.signals).toEqual(['SIGHUP', 'SIGHUP', 'SIGHUP', 'SIGHUP', 'SIGKILL']);
  expect(saidIn(stage).slice(-5)).toEqual([
    'Client connection closed. Sending SIGHUP to all processes',
    'Error R16 (Detached) -> An attached process is not responding to SIGHUP after its external connection was closed.',
    'Stopping remaining processes with SIGKILL',
    'Process exited with status 137',
    'State changed from up to crashed',
  ]);
});

test('a dyno that minds SIGHUP is sent one', async () => {
  const { runtime, oneOffs, published } = openStage();
  runtime.onSignal = (dyno, signal) => runtime.exit(dyno, null, signal);
  const { attach } = await oneOffs.start(app(), release, ATTACHED, 'Basic');
  attach?.destroy();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(runtime.signals).toEqual(['SIGHUP']);
  expect(published.at(-1)).toEqual([]);
});

test('a dyno whose client never came is told so in its log by R13, and ended', async () => {
  const stage = openStage();
  const { attach } = await stage.oneOffs.start(app(), release, ATTACHED, 'Basic');
  attach?.end(encodeFrame(FRAME.absent));
  await vi.advanceTimersByTimeAsync(1);
  expect(saidIn(stage)).toContain('Error R13 (Attach error) -> Failed to attach to process');
  expect(stage.runtime.signals).toEqual(['SIGHUP']);
});

test('a one-off is ended when its time to live is over, and killed when it does not mind', async () => {
  const stage = openStage();
  await stage.oneOffs.start(app(), release, { ...DETACHED, ttlMs: 60_000 }, 'Basic');
  await vi.advanceTimersByTimeAsync(59_000);
  expect(stage.runtime.signals).toEqual([]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(stage.runtime.signals).toEqual(['SIGTERM']);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(stage.runtime.signals.slice(0, 2)).toEqual(['SIGTERM', 'SIGKILL']);
  expect(saidIn(stage)).toContain(
    'Error R12 (Exit timeout) -> At least one process failed to exit within 30 seconds of SIGTERM',
  );
});

test('a one-off that a new agent finds keeps what is left of its time; one that had a client is ended', async () => {
  const before = openStage();
  await before.oneOffs.start(app(), release, { ...DETACHED, ttlMs: 3_600_000 }, 'Basic');
  await before.oneOffs.start(app(), release, ATTACHED, 'Basic');
  before.oneOffs[Symbol.dispose]();
  await vi.advanceTimersByTimeAsync(3_000_000);
  expect(before.runtime.signals).toEqual([]);
  const after = openStage();
  for (const { dyno, labels } of before.runtime.specs) {
    after.oneOffs.adopt({ dyno, labels, address: null, listening: false, exited: null });
  }
  await vi.advanceTimersByTimeAsync(1_000);
  expect(after.runtime.signals).toEqual(['SIGHUP']);
  await vi.advanceTimersByTimeAsync(700_000);
  expect(after.runtime.signals).toContain('SIGTERM');
});

test('its type begins its name, and a number of the formation is not taken', async () => {
  const { oneOffs, published, runtime } = openStage();
  const formation = new Map([['web', { type: 'web', quantity: 9_998, size: 'Basic', updatedAt: 0 }]]);
  const scaled = app([], { formation: formation as unknown as App['formation'] });
  const { name } = await oneOffs.start(scaled, release, { ...DETACHED, type: 'web' }, 'Standard-2X');
  expect(name).toBe('web.9999');
  const facts: readonly OneOffFact[] = published.at(-1) ?? [];
  expect(facts[0]).toMatchObject({ name, size: 'Standard-2X', phase: 'up' });
  expect(runtime.specs[0]?.size.memoryMiB).toBe(1_024);
});

test('a one-off reaches internal ports at the address of its own peer', async () => {
  const { runtime, oneOffs } = openStage();
  await oneOffs.start(
    app([]),
    release,
    { ...DETACHED, env: { URL: 'redis://kith.internal:61001' } },
    'Basic',
  );
  expect(runtime.specs[0]?.env).toEqual({
    URL: 'redis://127.64.0.1:61001',
    KITH_INTERNAL_HOST: '127.64.0.1',
  });
});

test('memory that ran out is told by R15, and the status is that of the signal', async () => {
  const stage = openStage();
  const { dyno } = await stage.oneOffs.start(app(), release, DETACHED, 'Basic');
  stage.runtime.onEvent({ tag: 'exited', dyno, status: null, signal: 'SIGKILL', outOfMemory: true });
  expect(saidIn(stage).slice(-3)).toEqual([
    'Error R15 (Memory quota vastly exceeded)',
    'Process exited with status 137',
    'State changed from up to crashed',
  ]);
});

test('a runtime that cannot be reached is asked again until the dyno has ended', async () => {
  const { runtime, oneOffs } = openStage();
  const { dyno } = await oneOffs.start(app(), release, DETACHED, 'Basic');
  runtime.onSignal = () => {
    throw new Error('the Engine does not answer');
  };
  oneOffs.stop(dyno);
  await vi.advanceTimersByTimeAsync(100_000);
  expect(runtime.signals).toEqual(['SIGTERM', 'SIGKILL', 'SIGKILL', 'SIGKILL']);
  runtime.exit(dyno, 0);
  await vi.advanceTimersByTimeAsync(100_000);
  expect(runtime.signals).toHaveLength(4);
});

test('a one-off sees the volumes of its process type, and counts as one that writes to them until it is removed', async () => {
  const stage = openStage();
  const { runtime, oneOffs } = stage;
  stage.volumes = [volumeAt('12D3KooWa')];
  const { dyno } = await oneOffs.start(app(), release, { ...DETACHED, type: 'worker' }, 'Basic');
  expect(runtime.specs[0]?.volumes).toEqual([{ source: '/volumes/v1.c1', path: '/app/data' }]);
  expect(oneOffs.withVolume('v1' as VolumeId)).toMatch(/^worker\.\d+$/);
  const { labels = {} } = runtime.specs[0] ?? {};
  runtime.exit(dyno, 0);
  await vi.waitUntil(() => oneOffs.withVolume('v1' as VolumeId) === null, WAIT);
  expect(runtime.removed).toEqual([dyno]);
  const next = openStage();
  next.oneOffs.adopt({ dyno, labels, address: null, listening: false, exited: null });
  expect(next.oneOffs.withVolume('v1' as VolumeId)).toMatch(/^worker/);
});

test('a one-off does not start beside a copy of its volume, nor where that is not', async () => {
  const stage = openStage();
  stage.volumes = [{ ...volumeAt('12D3KooWa'), stopped: 'is being moved' }];
  await expect(stage.oneOffs.start(app(), release, DETACHED, 'Basic')).rejects.toThrow(
    'Cannot run "bash": its volume "data" is being moved',
  );
  stage.volumes = [volumeAt('12D3KooWb')];
  await expect(stage.oneOffs.start(app(), release, DETACHED, 'Basic')).rejects.toThrow(
    'Cannot run "bash" here: its volume "data" is elsewhere',
  );
  expect(stage.runtime.specs).toEqual([]);
  expect(stage.oneOffs.withVolume('v1' as VolumeId)).toBeNull();
});

function volumeAt(peer: string): SlotVolume {
  const fields = { volume: 'v1', name: 'data', peer, copy: 'c1', path: '/app/data', stopped: null };
  return fields as unknown as SlotVolume;
}

test('the same request is one dyno, while it is started, while it runs and when it is over', async () => {
  const { runtime, oneOffs } = openStage();
  const dyno = 'dyno of a request' as DynoId;
  const started: string[] = [];
  runtime.onStart = (id) => void started.push(id);
  const wanted = { ...DETACHED, dyno };
  const both = await Promise.all([1, 2].map(() => oneOffs.start(app(), release, wanted, 'Basic')));
  runtime.exit(dyno, 0);
  const late = await oneOffs.start(app(), release, wanted, 'Basic');
  expect(started).toEqual([dyno]);
  expect(new Set([...both, late].map(({ name }) => name)).size).toBe(1);
  const attached = oneOffs.start(app(), release, { ...ATTACHED, dyno }, 'Basic');
  await expect(attached).rejects.toMatchObject({
    code: 'conflict',
    hint: expect.stringContaining('again') as string,
  });
});

test('one that could not be started may be tried again by the same request', async () => {
  const { runtime, oneOffs } = openStage();
  const wanted = { ...DETACHED, dyno: 'dyno of a request' as DynoId };
  runtime.onStart = () => {
    throw new Error('No room');
  };
  await expect(oneOffs.start(app(), release, wanted, 'Basic')).rejects.toThrow('No room');
  runtime.onStart = () => {};
  expect((await oneOffs.start(app(), release, wanted, 'Basic')).dyno).toBe(wanted.dyno);
});

test('a repeated request finds at any live peer what it made, by what that peer says of itself', () => {
  const one = { dyno: 'd' as DynoId, name: 'run.7', release: 'r' as ReleaseId };
  const at = (verdict: Verdict, facts: Partial<PeerFacts>): PeerStatus => ({
    peer: '12D3KooWb' as PeerId,
    verdict,
    facts: { oneOffs: [], ...facts } as unknown as PeerFacts,
  });
  const wanted = { ...DETACHED, dyno: one.dyno };
  const over = { tookOneOffs: [one] };
  expect(madeBefore([at('alive', over)], wanted)).toEqual({ ...one, peer: '12D3KooWb', attach: null });
  expect(madeBefore([at('alive', { oneOffs: [one as never] })], wanted)?.name).toBe('run.7');
  expect(madeBefore([at('down', over), at('alive', {})], wanted)).toBe(null);
  expect(madeBefore([at('alive', over)], DETACHED)).toBe(null);
  expect(() => madeBefore([at('alive', over)], { ...ATTACHED, dyno: one.dyno })).toThrow(
    'started "run.7" before',
  );
});
