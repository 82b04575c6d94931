import { mkdir, writeFile } from 'node:fs/promises';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { openProcessRuntime } from '../../agent/runtimes/process/process-runtime.ts';
import type { Runtime } from '../../src/shell/runtime.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { Recorder } from './recorder.ts';
import { makeSlug } from './slug.ts';
import { dynoSpec } from './dyno-spec.ts';

const log = pino({ level: 'silent' });
const isRoot = process.getuid?.() === 0;

/** Runs a command in a dyno of its own and gives back what it printed. */
async function linesOf(runtime: Runtime, dir: string, command: string): Promise<string[]> {
  const events = new Recorder(runtime);
  const slug = await makeSlug(dir, { file: 'x' });
  const spec = dynoSpec(slug, command);
  await runtime.start(spec);
  await events.exited(spec.dyno);
  await runtime.remove(spec.dyno);
  return [`dyno ${spec.dyno}`, ...events.lines(spec.dyno)];
}

test('with bubblewrap a dyno sees its own files, processes, host name and user, and nothing of the agent', async () => {
  await using temp = await tempDir('kith-isolation-');
  const dir = `${temp.path}/data`;
  await mkdir(dir, { recursive: true });
  await writeFile(`${dir}/key`, 'secret key');
  const runtime = await openProcessRuntime({ dir, log });
  expect(runtime.isolation).toContain('bubblewrap');
  const command = `
    [ -e ${dir} ] && echo data; [ -e ${process.cwd()}/package.json ] && echo checkout; [ -e /root ] && echo root
    ls / | grep -vxE 'app|bin|dev|etc|lib|lib32|lib64|libx32|proc|run|sbin|tmp|usr|var'
    ls /proc | grep -cE '^[0-9]+$' | awk '{ if ($1 > 6) print "processes" }'
    cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -a VITEST
    [ "$(awk '/^CapEff/ { print $2 }' /proc/self/status)" = 0000000000000000 ] || echo capabilities
    [ "$(awk '/^NoNewPrivs/ { print $2 }' /proc/self/status)" = 1 ] || echo privileges
    for file in /etc/shadow /proc/sys/kernel/core_pattern; do [ -w $file ] && echo writable $file; done
    touch /tmp/x /dev/shm/x $HOME/x || echo cannot write
    whoami; hostname; pwd; getent hosts localhost >/dev/null && echo hosts
  `;
  const lines = await linesOf(runtime, temp.path, command);
  expect(lines.slice(1)).toEqual(['dyno', lines[0]?.slice('dyno '.length), '/app', 'hosts']);
  await runtime.shutdown();
});

test.runIf(isRoot)(
  'as root every dyno has a user of its own, who can neither see nor signal another',
  async () => {
    await using temp = await tempDir('kith-isolation-');
    for (const bubblewrap of ['auto', 'off'] as const) {
      const runtime = await openProcessRuntime({ dir: `${temp.path}/${bubblewrap}`, log, bubblewrap });
      expect(runtime.isolation).toContain('user');
      const [, one] = await linesOf(runtime, temp.path, 'id -u');
      const [, two] = await linesOf(runtime, temp.path, 'id -u');
      expect(Number(one)).toBeGreaterThanOrEqual(1_900_000_000);
      expect(one).not.toBe(two);
      const others = await linesOf(
        runtime,
        temp.path,
        'kill -0 1 2>/dev/null && echo may; ls $HOME/../.. | wc -l',
      );
      expect(others).not.toContain('may');
      await runtime.shutdown();
    }
  },
);

test('without bubblewrap the isolation sentence promises no namespaces', async () => {
  await using temp = await tempDir('kith-isolation-');
  const runtime = await openProcessRuntime({ dir: `${temp.path}/data`, log, bubblewrap: 'off' });
  expect(runtime.isolation).toMatch(/^own session.*no namespaces.*no disk limit$/);
  await runtime.shutdown();
});
