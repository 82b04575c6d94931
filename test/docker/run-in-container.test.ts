import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { openBuildEngine, BUILD_LABEL, type BuildEngine } from '../../agent/builds/build-engine.ts';
import { runInContainer } from '../../agent/builds/run-in-container.ts';
import type { Ended } from '../../agent/builds/sandbox.ts';
import type { SandboxCommand } from '../../agent/builds/sandbox.ts';
import { STACK_IMAGE } from '../../src/platform/stack.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const UID = 65_534;
/** Own for each run, so that tests of two checkouts do not take each other's containers for leftovers. */
const OWNER = `${import.meta.dirname} ${process.pid}`;
let engine: BuildEngine;

beforeAll(async () => {
  const opened = await openBuildEngine(OWNER, STACK_IMAGE);
  if (opened === null) throw new Error('No Docker Engine answers');
  engine = { ...opened, network: 'bridge' };
});

function command(script: string, parts: Partial<SandboxCommand> = {}): SandboxCommand {
  return {
    script,
    args: [],
    env: { PATH: '/usr/bin:/bin' },
    writable: [],
    readable: [],
    shown: [],
    ...parts,
  };
}

async function run(
  what: SandboxCommand,
  signal = AbortSignal.timeout(60_000),
  on = engine,
): Promise<{ ended: Ended; lines: readonly string[] }> {
  const lines: string[] = [];
  const ended = await runInContainer(on, UID, what, (line, from) => lines.push(`${from}: ${line}`), signal);
  return { ended, lines };
}

async function containers(): Promise<number> {
  const filters = { label: [`${BUILD_LABEL}=${engine.owner}`] };
  return (await engine.docker.listContainers({ all: true, filters })).length;
}

test('a build gets its arguments and environment, its lines come apart by stream, and its status comes back', async () => {
  const { ended, lines } = await run(
    command('echo "$1 $GREETING"; echo oops >&2; exit 7', {
      args: ['a b'],
      env: { PATH: '/usr/bin', GREETING: 'hi' },
    }),
  );
  expect(ended).toEqual({ status: 7, signal: null });
  expect(lines.toSorted()).toEqual(['stderr: oops', 'stdout: a b hi']);
  expect(await containers()).toBe(0);
});

test('a build is nobody, without rights, on a system that it cannot change', async () => {
  const { lines } = await run(
    command(
      'id -u; grep CapEff /proc/self/status; touch /usr/x 2>/dev/null || echo read-only; touch /tmp/x && echo tmp',
    ),
  );
  expect(lines).toEqual(
    ['65534', 'CapEff:\t0000000000000000', 'read-only', 'tmp'].map((line) => `stdout: ${line}`),
  );
});

test('a build sees its folders at their own paths, may change the writable ones alone, and sees no others', async () => {
  await using dir = await tempDir('kith-container-');
  const [work, tools, layer, secret] = ['work', 'tools', 'layer', 'secret'].map((name) =>
    join(dir.path, name),
  );
  for (const folder of [work, tools, layer, secret]) {
    await mkdir(folder ?? '', { recursive: true });
    await writeFile(join(folder ?? '', 'file'), 'old');
  }
  await chmod(dir.path, 0o755);
  await chmod(work ?? '', 0o777);
  await mkdir(join(work ?? '', 'node'));
  const { lines } = await run(
    command(
      'cd "$1"; echo new >made; cat node/file "$2/file"; echo; for f in node/x "$2/x"; do echo 2>/dev/null >$f || echo kept; done; ls "$3"',
      {
        args: [work ?? '', tools ?? '', secret ?? ''],
        writable: [work ?? ''],
        readable: [tools ?? ''],
        shown: [{ from: layer ?? '', at: join(work ?? '', 'node') }],
      },
    ),
  );
  // The two streams come in an order of their own each.
  expect(lines.filter((line) => line.startsWith('stdout'))).toEqual([
    'stdout: oldold',
    'stdout: kept',
    'stdout: kept',
  ]);
  expect(lines.filter((line) => line.startsWith('stderr')).at(-1)).toContain('No such file or directory');
  expect(await readFile(join(work ?? '', 'made'), 'utf8')).toBe('new\n');
});

test('a build that is aborted ends at once, whatever it ignores, and leaves no container', async () => {
  const stop = new AbortController();
  const lines: string[] = [];
  const what = command('trap "" TERM INT; echo begun; while :; do sleep 1; done');
  const ended = runInContainer(
    engine,
    UID,
    what,
    (line) => {
      lines.push(line);
      stop.abort();
    },
    stop.signal,
  );
  expect(await ended).toEqual({ status: null, signal: 'SIGKILL' });
  expect(lines).toEqual(['begun']);
  expect(await containers()).toBe(0);
});

test('a build that takes more memory than it may is ended, and told why', async () => {
  const small = { ...engine, memoryMiB: 64 };
  const { ended, lines } = await run(command('exec python3 -c "b = bytearray(256 << 20)"'), undefined, small);
  expect(ended.status).toBe(137);
  expect(lines.at(-1)).toBe('stderr:  !     The build needed more than 64 MiB of memory');
});

test('what builds of a killed agent left in the Engine goes when the next one starts', async () => {
  const left = await engine.docker.createContainer({
    Image: STACK_IMAGE,
    Cmd: ['sleep', '1000'],
    Labels: { [BUILD_LABEL]: engine.owner },
  });
  await left.start();
  await openBuildEngine(OWNER, STACK_IMAGE);
  await eventually(async () => (await containers()) === 0);
});
