import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { zstdCompressSync } from 'node:zlib';
import { pino } from 'pino';
import { openDockerRuntime } from '../../agent/runtimes/docker/docker-runtime.ts';
import { openProcessRuntime } from '../../agent/runtimes/process/process-runtime.ts';
import { DEFAULT_SIZE } from '../../src/dyno-sizes.ts';
import type { AppId, BlobId, DynoId } from '../../src/ids.ts';
import { STACK_IMAGE } from '../../src/platform/stack.ts';
import type { DynoSpec, Runtime, RuntimeEvent } from '../../src/shell/runtime.ts';
import type { SlugFiles } from '../../src/shell/slug-files.ts';
import type { Finding } from './report.ts';
import { digits, summarize } from './stats.ts';

const run = promisify(execFile);
const SAMPLES = 30;
const SAMPLES_QUICK = 5;
/** A network taken is made again meanwhile, and a copy of the slug. */
const PAUSE_MS = 2_000;
const START_MS_MAX = 30_000;
const AIM_MS = 400;
const FILES = 2_000;
/** The shell's clock, in seconds with microseconds: the app's first instruction. */
const COMMAND = 'echo $EPOCHREALTIME';

/** From the decision to start a dyno to its own first instruction, in both runtimes and beside `docker run`. */
export async function benchDynoStart({ quick }: { readonly quick: boolean }): Promise<Finding> {
  const dir = await mkdtemp(join(tmpdir(), 'kith-bench-'));
  const log = pino({ level: 'silent' });
  const slug = await makeSlug(dir);
  const docker = await openDockerRuntime({ dir: join(dir, 'docker'), log, stackImage: STACK_IMAGE });
  const processes = await openProcessRuntime({ dir: join(dir, 'process'), log });
  const found = { docker: [] as number[], process: [] as number[], bare: [] as number[] };
  try {
    for (const runtime of [docker, processes]) {
      await runtime.list(() => 0);
      await runtime.prepare(slug);
    }
    // The first of each pays for what is loaded once.
    for (let sample = -1; sample < (quick ? SAMPLES_QUICK : SAMPLES); sample += 1) {
      await sleep(PAUSE_MS);
      const [bare, inDocker, asProcess] = [
        await bareRun(),
        await startOne(docker, slug),
        await startOne(processes, slug),
      ];
      process.stdout.write(
        `  docker run ${Math.round(bare)} ms, docker ${Math.round(inDocker)} ms, process ${Math.round(asProcess)} ms\n`,
      );
      if (sample < 0) continue;
      found.bare.push(bare);
      found.docker.push(inDocker);
      found.process.push(asProcess);
    }
  } finally {
    await docker.shutdown();
    await docker.collect(new Set());
    await processes.shutdown();
    await rm(dir, { recursive: true, force: true });
  }
  return report(found, processes.isolation);
}

async function startOne(runtime: Runtime, slug: SlugFiles): Promise<number> {
  const spec: DynoSpec = {
    dyno: randomUUID() as DynoId,
    app: randomUUID() as AppId,
    name: 'worker.1',
    command: COMMAND,
    slug,
    env: { CONFIG: 'x' },
    web: false,
    size: DEFAULT_SIZE,
    volumes: [],
    attach: null,
    labels: {},
  };
  const { promise, resolve } = Promise.withResolvers<Extract<RuntimeEvent, { tag: 'output' }>>();
  const ended = Promise.withResolvers<void>();
  runtime.onEvent((event) => {
    if (event.tag === 'output' && event.dyno === spec.dyno) resolve(event);
    if (event.tag === 'exited' && event.dyno === spec.dyno) ended.resolve();
  });
  const late = AbortSignal.timeout(START_MS_MAX);
  const began = now();
  await runtime.start(spec);
  const first = await Promise.race([promise, aborted(late)]);
  await Promise.race([ended.promise, aborted(late)]);
  await runtime.remove(spec.dyno);
  return Number(first.text) * 1_000 - began;
}

async function bareRun(): Promise<number> {
  const began = now();
  const { stdout } = await run('docker', ['run', '--rm', STACK_IMAGE, 'bash', '-c', COMMAND]);
  return Number(stdout) * 1_000 - began;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error(`No dyno within ${START_MS_MAX} ms`)));
  });
}

/** Wall ms, with fractions. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Many small files, as an app with its modules has. */
async function makeSlug(dir: string): Promise<SlugFiles> {
  const tree = join(dir, 'tree');
  for (let index = 0; index < FILES; index += 1) {
    const folder = join(tree, 'node_modules', `module-${index % 100}`);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `file-${index}.js`), `module.exports = ${index};\n`.repeat(100));
  }
  const options = { encoding: 'buffer', maxBuffer: 512 * 1024 * 1024 } as const;
  const { stdout } = await run('tar', ['-c', '-C', tree, '.'], options);
  const packed = zstdCompressSync(stdout);
  const id = createHash('sha256').update(packed).digest('hex') as BlobId;
  const path = join(dir, `${id}.tar.zst`);
  await writeFile(path, packed);
  return { id, path, layers: [], format: 'slug' };
}

function report(
  found: { readonly docker: number[]; readonly process: number[]; readonly bare: number[] },
  isolation: string,
): Finding {
  const row = (name: string, values: readonly number[]): string => {
    const { min, median, p95, max } = summarize(values);
    return `| ${name} | ${digits(min)} ms | ${digits(median)} ms | ${digits(p95)} ms | ${digits(max)} ms |`;
  };
  const docker = summarize(found.docker);
  const processes = summarize(found.process);
  return {
    body: [
      `${docker.count} starts of each, a slug of ${FILES} files. The process runtime here: ${isolation}.`,
      '',
      '| | Least | Median | p95 | Most |',
      '| --- | --- | --- | --- | --- |',
      row('Docker runtime', found.docker),
      row('process runtime', found.process),
      row('`docker run` alone', found.bare),
    ].join('\n'),
    aims: [
      {
        aim: 'Docker: median below 400 ms',
        found: `${digits(docker.median)} ms`,
        isMet: docker.median < AIM_MS,
      },
      {
        aim: 'processes: median below 400 ms',
        found: `${digits(processes.median)} ms`,
        isMet: processes.median < AIM_MS,
      },
    ],
  };
}
