import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Tasks } from '../../agent/lib/tasks.ts';
import { UsageWatch } from '../../agent/peer/usage-watch.ts';
import type { OneOffFact } from '../../src/facts.ts';
import type { AppId, DynoId, ReleaseId } from '../../src/ids.ts';
import { emptyFold } from '../../src/ledger/fold.ts';
import type { View } from '../../src/ledger/view.ts';
import type { DynoStats } from '../../src/shell/runtime.ts';

const APP = 'a0000000-0000-4000-8000-000000000001' as AppId;
const log = pino({ level: 'silent' });

function oneOff(n: number): OneOffFact {
  return {
    dyno: `dyno-${n}` as DynoId,
    app: APP,
    name: `run.${n}`,
    release: 'r' as ReleaseId,
    command: 'x',
    size: 'Basic',
    phase: 'up',
    since: Date.now(),
  };
}

/** A peer with so many dynos, whose runtime answers as the test says. */
function watchOf(
  dynos: number,
  stats: (dyno: DynoId) => Promise<DynoStats | null>,
  features: readonly string[] = [],
): { watch: UsageWatch; lines: string[] } {
  const lines: string[] = [];
  const app = { features: new Set(features) };
  const watch = new UsageWatch({
    runtime: { stats },
    logs: { append: ({ process, text }) => lines.push(`${process}: ${text}`) },
    tasks: new Tasks(log),
    log,
    state: () => ({ dynos: new Map(), oneOffs: Array.from({ length: dynos }, (_, i) => oneOff(i + 1)) }),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that is looked at
    view: () => ({ ...emptyFold().view, apps: new Map([[APP, app]]) }) as unknown as View,
  });
  return { watch, lines };
}

const using = (rssMiB: number): DynoStats => ({
  rssMiB,
  swapMiB: 0,
  cacheMiB: 0,
  cpuSeconds: 1,
  processes: 1,
});

test('each round says R14 of every dyno that is over its quota', async () => {
  const { watch, lines } = watchOf(2, async (dyno) => using(dyno === 'dyno-1' ? 600 : 100));
  await watch.look();
  expect(lines).toEqual([
    'run.1: Process running mem=600M(117.2%)',
    'run.1: Error R14 (Memory quota exceeded)',
  ]);
});

test('an app that asks for runtime metrics gets them', async () => {
  const { watch, lines } = watchOf(1, async () => using(100), ['log-runtime-metrics']);
  await watch.look();
  expect(lines.map((line) => line.replace(/=\d[\d.]*/g, '=N'))).toEqual([
    `run.1: source=run.1 dyno=heroku.${APP}.dyno-1 sample#load_avg_1m=N sample#load_avg_5m=N sample#load_avg_15m=N`,
    `run.1: source=run.1 dyno=heroku.${APP}.dyno-1 sample#memory_total=NMB sample#memory_rss=NMB sample#memory_cache=NMB sample#memory_swap=NMB sample#memory_quota=NMB`,
  ]);
});

test('a runtime that does not answer is asked about each dyno once, a few at a time, and rounds do not pile up', async () => {
  const asked: DynoId[] = [];
  const { promise, resolve } = Promise.withResolvers<DynoStats>();
  const { watch } = watchOf(10, (dyno) => {
    asked.push(dyno);
    return promise;
  });
  const first = watch.look();
  await watch.look();
  await watch.look();
  expect(asked).toHaveLength(4);
  resolve(using(1));
  await first;
  expect(new Set(asked).size).toBe(10);
  expect(asked).toHaveLength(10);
});

test('what dynos use can be asked for; one that is gone or cannot be measured is left out', async () => {
  const { watch } = watchOf(3, async (dyno) => {
    if (dyno === 'dyno-2') return null;
    if (dyno === 'dyno-3') throw new Error('no answer');
    return using(42);
  });
  expect(await watch.of(APP)).toMatchObject([{ dyno: 'dyno-1', quotaMiB: 512, stats: { rssMiB: 42 } }]);
  expect(await watch.of('another' as AppId)).toEqual([]);
});
