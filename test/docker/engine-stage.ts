import { join } from 'node:path';
import { pino } from 'pino';
import { openDockerRuntime } from '../../agent/runtimes/docker/docker-runtime.ts';
import type { Runtime } from '../../src/shell/runtime.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { Recorder } from '../runtimes/recorder.ts';
import { OwnEngine, type OwnDisk } from './own-engine.ts';

type StageOptions = {
  readonly disk?: OwnDisk;
  /** What one dyno may write. */
  readonly dynoDiskMiB?: number;
};

/** Kith's driver on an Engine of the test's own. */
export class EngineStage implements AsyncDisposable {
  /** A folder of the test's. */
  readonly dir: string;
  readonly engine: OwnEngine;
  readonly runtime: Runtime;
  readonly events: Recorder;
  readonly #parts: AsyncDisposableStack;

  private constructor(dir: string, engine: OwnEngine, runtime: Runtime, parts: AsyncDisposableStack) {
    this.dir = dir;
    this.engine = engine;
    this.runtime = runtime;
    this.events = new Recorder(runtime);
    this.#parts = parts;
  }

  static async open({ disk, dynoDiskMiB }: StageOptions = {}): Promise<EngineStage> {
    await using parts = new AsyncDisposableStack();
    const { path: dir } = parts.use(await tempDir('kith-engine-'));
    const engine = parts.use(await OwnEngine.start(join(dir, 'engine'), disk));
    const runtime = await openRuntimeOn(engine, join(dir, 'data'), dynoDiskMiB);
    parts.defer(() => runtime.shutdown());
    const stage = new EngineStage(dir, engine, runtime, parts.move());
    await runtime.list(() => 0);
    return stage;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}

/** @param dir the peer's data folder */
export async function openRuntimeOn(engine: OwnEngine, dir: string, dynoDiskMiB?: number): Promise<Runtime> {
  const log = pino({ level: process.env['KITH_TEST_LOG'] ?? 'silent' });
  const { image: stackImage, host } = engine;
  return await openDockerRuntime({
    dir,
    log,
    stackImage,
    host,
    ...(dynoDiskMiB === undefined ? {} : { dynoDiskMiB }),
  });
}
