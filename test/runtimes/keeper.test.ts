import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { openProcessRuntime } from '../../agent/runtimes/process/process-runtime.ts';
import type { Runtime } from '../../src/shell/runtime.ts';
import type { SlugFiles } from '../../src/shell/slug-files.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { Recorder } from './recorder.ts';
import { makeSlug } from './slug.ts';
import { dynoSpec } from './dyno-spec.ts';

const log = pino({ level: 'silent' });
const AGENT = fileURLToPath(new URL('./crashing-agent.ts', import.meta.url));

describe.each(['auto', 'off'] as const)('the keeper, bubblewrap %s', (bubblewrap) => {
  async function open(dir: string): Promise<{ runtime: Runtime; events: Recorder }> {
    const runtime = await openProcessRuntime({ dir, log, bubblewrap });
    return { runtime, events: new Recorder(runtime) };
  }

  async function setUp(): Promise<{ dir: string; slug: SlugFiles; dispose: () => PromiseLike<void> }> {
    const temp = await tempDir('kith-keeper-');
    const slug = await makeSlug(temp.path, { file: 'x' });
    return { dir: `${temp.path}/data`, slug, dispose: () => temp[Symbol.asyncDispose]() };
  }

  test('when it is killed its dynos die, daemons too, the agent is told, and a new one takes over', async () => {
    const { dir, slug, dispose } = await setUp();
    const { runtime, events } = await open(dir);
    const token = randomUUID();
    const daemon = `(trap "" HUP TERM; setsid sleep 987 & ) ; echo up; exec sleep 987`;
    const dyno = dynoSpec(slug, daemon, { env: { TOKEN: token } });
    await runtime.start(dyno);
    await events.line(dyno.dyno, 'up');
    await eventually(() => withToken(token).length >= 2);
    process.kill(keeperOf(dir), 'SIGKILL');
    await eventually(() => withToken(token).length === 0);
    expect(await events.exited(dyno.dyno)).toMatchObject({ status: 137, signal: 'SIGKILL' });
    const next = dynoSpec(slug, 'echo again');
    await runtime.start(next);
    await events.line(next.dyno, 'again');
    await runtime.remove(dyno.dyno);
    await runtime.shutdown();
    await dispose();
  });

  test('an agent killed with -9 leaves its dynos to the next, and no line is lost or told twice', async () => {
    const { dir, slug, dispose } = await setUp();
    const dyno = dynoSpec(slug, 'for i in {1..400}; do echo $i; sleep 0.01; done; sleep 987');
    const agent = spawn(process.execPath, [AGENT, dir, bubblewrap, JSON.stringify(dyno)]);
    let seen = '';
    agent.stdout.on('data', (data: Buffer) => (seen += data.toString()));
    await eventually(() => seen.split('\n').length > 20, { withinMs: 60_000 });
    agent.kill('SIGKILL');
    await once(agent, 'close');
    const told = seen.slice(0, seen.lastIndexOf('\n')).split('\n');

    const { runtime, events } = await open(dir);
    expect((await runtime.list(() => told.length))[0]).toMatchObject({ dyno: dyno.dyno, exited: null });
    await events.line(dyno.dyno, '400', 120_000);
    const all = [...told, ...events.lines(dyno.dyno)];
    expect(all).toEqual(Array.from({ length: 400 }, (_, index) => String(index + 1)));
    await runtime.shutdown();
    await dispose();
  });

  test('its memory stays bounded while a dyno floods it and no agent listens', async () => {
    const { dir, slug, dispose } = await setUp();
    const first = await open(dir);
    const token = randomUUID();
    const flood = 'head -c 20000000 /dev/zero | tr "\\0" "\\n"; head -c 100000000 /dev/zero; echo; echo over';
    const dyno = dynoSpec(slug, `${flood}; TOKEN=${token} exec sleep 987`);
    await first.runtime.start(dyno);
    await first.runtime[Symbol.asyncDispose]();
    const keeper = keeperOf(dir);
    let highest = 0;
    await eventually(
      () => {
        highest = Math.max(highest, rssMiB(keeper));
        return withToken(token).length > 0;
      },
      { withinMs: 180_000 },
    );
    expect(highest).toBeLessThan(100);
    const { runtime, events } = await open(dir);
    await runtime.list(() => 0);
    await events.line(dyno.dyno, 'over');
    const lines = events.output(dyno.dyno);
    expect(lines.at(-1)?.seq).toBe(20_000_000 + 10_000 + 1);
    expect(lines[0]?.seq).toBeGreaterThan(20_000_000);
    await runtime.shutdown();
    await dispose();
  });

  test('it survives nonsense on its socket, which only its user may open', async () => {
    const { dir, slug, dispose } = await setUp();
    const { runtime, events } = await open(dir);
    const path = `${dir}/keeper/keeper.sock`;
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    for (const nonsense of ['\n', 'null\n', '{}\n', '{"tag":"attach"}\n', 'x'.repeat(10_000)]) {
      await sendAndHangUp(path, nonsense);
    }
    const dyno = dynoSpec(slug, 'echo fine');
    await runtime.start(dyno);
    await events.line(dyno.dyno, 'fine');
    // Whoever greets as an agent takes over, so this comes last.
    for (const nonsense of ['nonsense\n', 'null\n', '{"id":1}\n', '{"id":2,"tag":"spawn"}\n']) {
      await sendAndHangUp(path, `{"tag":"agent","protocol":1}\n${nonsense}`);
    }
    await runtime[Symbol.asyncDispose]();
    const again = await open(dir);
    expect((await again.runtime.list(() => 0)).map((found) => found.dyno)).toEqual([dyno.dyno]);
    await again.runtime.shutdown();
    await dispose();
  });

  test('a dyno holds no descriptor but its stdio, while another has a terminal', async () => {
    const { dir, slug, dispose } = await setUp();
    const { runtime, events } = await open(dir);
    const tty = { columns: 80, rows: 24, term: 'xterm' };
    await runtime.start(dynoSpec(slug, 'sleep 987', { attach: { tty } }));
    const dyno = dynoSpec(slug, 'ls /proc/self/fd | wc -l');
    await runtime.start(dyno);
    // 0, 1, 2, and the folder that `ls` reads.
    await events.line(dyno.dyno, '4');
    await runtime.shutdown();
    await dispose();
  });

  test('shutting down ends every dyno, and removes what they had', async () => {
    const { dir, slug, dispose } = await setUp();
    const { runtime } = await open(dir);
    const token = randomUUID();
    await runtime.start(dynoSpec(slug, 'sleep 987', { env: { TOKEN: token } }));
    await eventually(() => withToken(token).length > 0);
    const keeper = keeperOf(dir);
    await runtime.shutdown();
    await eventually(() => withToken(token).length === 0);
    await eventually(() => readProc(keeper, 'cmdline') === '');
    expect(readdirSync(`${dir}/keeper`)).toEqual([]);
    await dispose();
  });
});

async function sendAndHangUp(path: string, bytes: string): Promise<void> {
  const socket = connect(path);
  // A reset is as good as any other end.
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.end(bytes);
  socket.resume();
  await closed;
}

function pids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function withToken(token: string): number[] {
  return pids().filter((pid) => readProc(pid, 'environ').includes(token));
}

function keeperOf(dir: string): number {
  const found = pids().find((pid) => readProc(pid, 'cmdline').includes(`${dir}/keeper/keeper.sock`));
  if (found === undefined) throw new Error(`No keeper of ${dir}`);
  return found;
}

function rssMiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readProc(pid, 'status'))?.[1]) / 1024;
}

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
