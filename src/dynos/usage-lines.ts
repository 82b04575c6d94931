import { memoryOf, type DynoUsage } from '../dyno-usage.ts';
import type { AppId } from '../ids.ts';
import { memoryLine, R14 } from './error-lines.ts';

/** What is said, again and again, of a dyno over its quota; nothing of any other. */
export function quotaLines({ stats, quotaMiB }: DynoUsage): readonly string[] {
  const used = memoryOf(stats);
  return used > quotaMiB ? [memoryLine(used, quotaMiB), R14] : [];
}

/**
 * Lines of an app that has switched on `log-runtime-metrics`, one for load and one for memory.
 * @param name `web.1`
 * @see https://devcenter.heroku.com/articles/log-runtime-metrics
 */
export function metricsLines(app: AppId, name: string, usage: DynoUsage): readonly string[] {
  const { rssMiB, cacheMiB, swapMiB } = usage.stats;
  const source = `source=${name} dyno=heroku.${app}.${usage.dyno}`;
  const [one, five, fifteen] = usage.load.map((load) => load.toFixed(2));
  const megabytes = {
    total: rssMiB + cacheMiB + swapMiB,
    rss: rssMiB,
    cache: cacheMiB,
    swap: swapMiB,
    quota: usage.quotaMiB,
  };
  const memory = Object.entries(megabytes).map(([key, mib]) => `sample#memory_${key}=${mib.toFixed(2)}MB`);
  return [
    `${source} sample#load_avg_1m=${one} sample#load_avg_5m=${five} sample#load_avg_15m=${fifteen}`,
    `${source} ${memory.join(' ')}`,
  ];
}
