import { PassThrough, type Duplex } from 'node:stream';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Tasks } from '../../agent/lib/tasks.ts';
import { OneOffs } from '../../agent/one-offs/one-offs.ts';
import type { OneOffFact } from '../../src/facts.ts';
import type { DynoId, PeerId } from '../../src/ids.ts';
import type { Release } from '../../src/ledger/view.ts';
import { FRAME, FrameDecoder } from '../../src/platform/attach-frames.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { Logs } from '../../src/shell/logs.ts';
import type { DynoSpec, Runtime, RuntimeEvent } from '../../src/shell/runtime.ts';
import { eventually } from '../helpers/eventually.ts';
import { app, APP_ID } from '../platform/builders.ts';

const log = pino({ level: 'silent' });

/** A runtime whose dynos say one word and end before their start has been answered. */
class HastyRuntime {
  readonly removed: DynoId[] = [];
  onEvent: (event: RuntimeEvent) => void = () => {};

  async prepare(): Promise<void> {}

  async start({ dyno }: DynoSpec): Promise<void> {
    this.onEvent({ tag: 'started', dyno, port: null });
    this.onEvent({ tag: 'exited', dyno, status: 3, signal: null });
  }

  async attach(dyno: DynoId): Promise<Duplex> {
    if (this.removed.includes(dyno)) throw new Error('there is no such dyno');
    const stdio = new PassThrough();
    stdio.end('hello');
    return stdio;
  }

  async remove(dyno: DynoId): Promise<void> {
    this.removed.push(dyno);
  }
}

function openOneOffs(runtime: HastyRuntime, published: (readonly OneOffFact[])[]): OneOffs {
  const oneOffs = new OneOffs({
    self: '12D3KooWa' as PeerId,
    runtime: runtime as unknown as Runtime,
    blobs: { fetch: async () => {}, path: (id: string) => id } as unknown as Blobs,
    logs: { append: () => {} } as unknown as Logs,
    tasks: new Tasks(log),
    log,
    holders: () => [],
    environment: () => ({}),
    publish: (list) => published.push(list),
  });
  runtime.onEvent = (event) => oneOffs.onRuntime(event);
  return oneOffs;
}

const release = { id: 'r1', slug: { id: 's1', processTypes: {} } } as unknown as Release;

test('a command that ends before its client is attached is heard out, with its status', async () => {
  const runtime = new HastyRuntime();
  const published: (readonly OneOffFact[])[] = [];
  const request = { app: APP_ID, command: 'echo hello', env: {}, size: null, attach: { tty: null } };
  const { attach } = await openOneOffs(runtime, published).start(app(), release, request, 'Basic');
  const decoder = new FrameDecoder();
  const frames: { type: number; payload: Buffer }[] = [];
  attach?.on('data', (chunk: Buffer) => frames.push(...decoder.push(chunk)));
  await eventually(() => frames.at(-1)?.type === FRAME.exit);
  expect(frames[0]?.payload.toString()).toBe('hello');
  expect(JSON.parse(frames.at(-1)?.payload.toString() ?? '')).toEqual({ status: 3, signal: null });
});

test('a detached command that ends at once is not shown as running ever after', async () => {
  const runtime = new HastyRuntime();
  const published: (readonly OneOffFact[])[] = [];
  const request = { app: APP_ID, command: 'true', env: {}, size: null, attach: null };
  const { dyno } = await openOneOffs(runtime, published).start(app(), release, request, 'Basic');
  expect(published.at(-1)).toEqual([]);
  await eventually(() => runtime.removed.includes(dyno));
});
