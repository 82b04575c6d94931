import { PassThrough, type Duplex } from 'node:stream';
import { pino } from 'pino';
import { Tasks } from '../../agent/lib/tasks.ts';
import { OneOffs } from '../../agent/one-offs/one-offs.ts';
import type { OneOffFact } from '../../src/facts.ts';
import type { DynoId, PeerId } from '../../src/ids.ts';
import type { Release } from '../../src/ledger/releases/release-types.ts';
import type { SlotVolume } from '../../src/placement/types.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { Logs } from '../../src/shell/logs.ts';
import type { DynoRuntimeEvent, DynoSpec, Runtime } from '../../src/shell/runtime.ts';

export const release = { id: 'r1', slug: { id: 's1', processTypes: {} } } as unknown as Release;

/** A runtime whose dynos are played by the test: nothing runs, what was asked is kept. */
export class PlayedRuntime {
  readonly specs: DynoSpec[] = [];
  readonly signals: string[] = [];
  readonly removed: DynoId[] = [];
  readonly internalHost = '127.64.0.1';
  readonly stdio = new PassThrough();
  /** What a dyno does at its start, and when it is signalled. */
  onStart: (dyno: DynoId) => void = () => {};
  onSignal: (dyno: DynoId, signal: string) => void = () => {};
  onEvent: (event: DynoRuntimeEvent) => void = () => {};

  async prepare(): Promise<void> {}

  async start(spec: DynoSpec): Promise<void> {
    this.specs.push(spec);
    this.onEvent({ tag: 'started', dyno: spec.dyno, address: null });
    this.onStart(spec.dyno);
  }

  async attach(dyno: DynoId): Promise<Duplex> {
    if (this.removed.includes(dyno)) throw new Error('there is no such dyno');
    return this.stdio;
  }

  async signal(dyno: DynoId, signal: string): Promise<void> {
    this.signals.push(signal);
    this.onSignal(dyno, signal);
  }

  async remove(dyno: DynoId): Promise<void> {
    this.removed.push(dyno);
  }

  exit(dyno: DynoId, status: number | null, signal: string | null = null): void {
    this.onEvent({ tag: 'exited', dyno, status, signal, outOfMemory: false });
  }
}

export type Stage = {
  readonly runtime: PlayedRuntime;
  readonly oneOffs: OneOffs;
  readonly published: (readonly OneOffFact[])[];
  /** What the ledger says that one-offs mount. */
  volumes: readonly SlotVolume[];
  /** `heroku[run.1]: text`, numbers as they came. */
  readonly lines: string[];
};

export function openStage(): Stage {
  const log = pino({ level: 'silent' });
  const runtime = new PlayedRuntime();
  const published: (readonly OneOffFact[])[] = [];
  const lines: string[] = [];
  const stage = { runtime, published, lines, volumes: [] as readonly SlotVolume[] };
  const oneOffs = new OneOffs({
    self: '12D3KooWa' as PeerId,
    runtime: runtime as unknown as Runtime,
    blobs: { fetch: async () => {}, path: (id: string) => id } as unknown as Blobs,
    logs: {
      append: ({ source, process, text }: Parameters<Logs['append']>[0]) =>
        lines.push(`${source}[${process}]: ${text}`),
    } as unknown as Logs,
    tasks: new Tasks(log),
    log,
    holders: () => [],
    environment: () => ({}),
    volumesOf: () => stage.volumes,
    volumePath: (volume, copy) => `/volumes/${volume}.${copy}`,
    publish: (list) => published.push(list),
  });
  runtime.onEvent = (event) => oneOffs.onRuntime(event);
  return Object.assign(stage, { oneOffs });
}
