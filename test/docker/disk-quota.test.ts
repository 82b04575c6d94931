import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { dynoSpec } from '../runtimes/dyno-spec.ts';
import { makeSlug } from '../runtimes/slug.ts';
import { EngineStage } from './engine-stage.ts';

const DISK_MIB = 1_024;
const QUOTA_MIB = 256;

test('a dyno that writes without end is stopped at its quota, and neither the disk nor another dyno notices', async () => {
  await using stage = await EngineStage.open({
    disk: { type: 'btrfs', mib: DISK_MIB },
    dynoDiskMiB: QUOTA_MIB,
  });
  const { dir, engine, runtime, events } = stage;
  expect(runtime.isolation).toContain(`, ${QUOTA_MIB} MiB of disk`);
  const slug = await makeSlug(dir, { file: 'x' });
  await runtime.prepare(slug);
  const freeMiB = await engine.freeMiB();
  const greedy = dynoSpec(slug, 'cat /dev/zero >rest; echo "status $?"; sleep 1000; true');
  await runtime.start(greedy);
  const said = await events.line(greedy.dyno, /cat: /, 120_000);
  expect(said).toMatch(/quota exceeded|no space left/i);
  await events.line(greedy.dyno, 'status 1');
  expect(await engine.freeMiB()).toBeGreaterThan(freeMiB - QUOTA_MIB * 1.2);
  const other = dynoSpec(slug, 'echo much >more && cat more file');
  await runtime.start(other);
  expect((await events.exited(other.dyno)).status).toBe(0);
  expect(events.lines(other.dyno)).toEqual(['much', 'x']);
  await runtime.remove(other.dyno);
  await runtime.remove(greedy.dyno);
  await eventually(async () => expect(await engine.freeMiB()).toBeGreaterThan(freeMiB - 64), {
    withinMs: 90_000,
  });
}, 300_000);

test('an Engine whose disk has no quotas is asked for none: dynos start, and nobody is promised one', async () => {
  await using stage = await EngineStage.open({ disk: { type: 'xfs', mib: 512 }, dynoDiskMiB: 128 });
  const { dir, engine, runtime, events } = stage;
  expect((await engine.docker('info', '--format', '{{.Driver}} {{.DriverStatus}}')).trim()).toMatch(
    /^overlay2 .*\[Backing Filesystem xfs\]/,
  );
  expect(runtime.isolation).toContain('; no disk limit');
  expect(await engine.docker('ps', '-aq', '--filter', 'label=kith.role=image')).toBe('');
  const dyno = dynoSpec(await makeSlug(dir, { file: 'x' }), 'cat file');
  await runtime.start(dyno);
  expect((await events.exited(dyno.dyno)).status).toBe(0);
  await runtime.remove(dyno.dyno);
}, 300_000);
