import { appendFileSync, cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { kith, must, run } from '../lib/kith.ts';
import { checkOutSample, commitAll, push } from '../lib/sample-app.ts';
import { BenchCluster } from './cluster.ts';
import type { Finding } from './report.ts';
import { digits, summarize } from './stats.ts';

const APP = 'hello';
const ROUNDS = 15;
const ROUNDS_QUICK = 3;

/** What a push costs more than the `npm ci` that is the app's own: both in turns, so that noise meets both. */
export async function benchDeploy({ quick }: { readonly quick: boolean }): Promise<Finding> {
  await using cluster = await BenchCluster.start(1);
  const [agent] = cluster.agents;
  if (agent === undefined) throw new Error('No peer');
  const source = join(cluster.dir, 'source');
  await checkOutSample(source);
  must(await kith(agent.dir, ['apps:create', APP, '--no-remote']));
  const firstMs = await timed(() => push(source, agent, APP));
  process.stdout.write(`  first push, the layer with Node to be made: ${Math.round(firstMs)} ms\n`);
  await npmCi(cluster.dir, source);
  const pushes: number[] = [];
  const installs: number[] = [];
  for (let round = 1; round <= (quick ? ROUNDS_QUICK : ROUNDS); round += 1) {
    appendFileSync(join(source, 'web.js'), `// Round ${round}\n`);
    await commitAll(source, `Round ${round}`);
    pushes.push(await timed(() => push(source, agent, APP)));
    installs.push(await npmCi(cluster.dir, source));
    process.stdout.write(
      `  push ${Math.round(pushes.at(-1) ?? 0)} ms, npm ci alone ${Math.round(installs.at(-1) ?? 0)} ms\n`,
    );
  }
  return report(firstMs, pushes, installs);
}

/** `npm ci` as the buildpack calls it, in a fresh copy of the source, with a cache of its own that is kept warm. */
async function npmCi(dir: string, source: string): Promise<number> {
  const copy = join(dir, 'npm-ci');
  rmSync(copy, { recursive: true, force: true });
  cpSync(source, copy, { recursive: true });
  const env = {
    NODE_ENV: 'production',
    npm_config_cache: join(dir, 'npm-cache'),
    npm_config_update_notifier: 'false',
    npm_config_fund: 'false',
    npm_config_audit: 'false',
  };
  return timed(() => run('npm', ['ci', '--include=dev', '--prefer-offline'], { cwd: copy, env }).then(must));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function report(firstMs: number, pushes: readonly number[], installs: readonly number[]): Finding {
  const push = summarize(pushes);
  const install = summarize(installs);
  const added = summarize(pushes.map((ms, round) => ms - (installs[round] ?? 0)));
  const row = (what: string, { min, median, p95, max }: typeof push): string =>
    `| ${what} | ${digits(min)} ms | ${digits(median)} ms | ${digits(p95)} ms | ${digits(max)} ms |`;
  return {
    body: [
      `${push.count} pushes of a changed file, and the same \`npm ci\` alone after each:`,
      '',
      '| | Least | Median | p95 | Most |',
      '| --- | --- | --- | --- | --- |',
      row('`git push`, to its end', push),
      row('`npm ci` alone', install),
      row('added by Kith (round by round)', added),
      '',
      `A push takes ${digits(push.median / install.median)} times as long as its \`npm ci\` (medians). The first push,`,
      `which also makes the layer with Node and npm, took ${digits(firstMs / 1_000)} s.`,
    ].join('\n'),
    aims: [{ aim: 'below 2 s added', found: `${digits(added.median)} ms`, isMet: added.median < 2_000 }],
  };
}
