import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findStackEngine } from '../agent/stack/engine.ts';
import { STACK_IMAGE } from '../src/platform/stack.ts';

/**
 * Every check and every test: format, lint, types, then vitest. Ends with one line of totals over all runners,
 * `N passed, N failed`, and a status to match. `npm test -- NAME...` runs the tests whose file names contain a NAME.
 */
type Totals = { passed: number; failed: number };

const root = join(import.meta.dirname, '..');
const filters = process.argv.slice(2);

async function run(command: string, args: readonly string[]): Promise<number> {
  const child = spawn(join(root, 'node_modules', '.bin', command), args, { cwd: root, stdio: 'inherit' });
  const [status] = (await once(child, 'exit')) as [number | null];
  return status ?? 1;
}

async function check(name: string, command: string, args: readonly string[]): Promise<Totals> {
  const status = await run(command, args);
  process.stdout.write(`${status === 0 ? 'ok' : 'FAILED'}: ${name}\n`);
  return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** What keeps tests of containers from running here; null: nothing. They need a Docker Engine and the stack image. */
async function lackForContainers(): Promise<string | null> {
  const engine = await findStackEngine();
  if (engine === null) return 'no Docker Engine answers';
  const found = await engine.image(STACK_IMAGE);
  return found === null ? `the Docker Engine has no "${STACK_IMAGE}": scripts/stack makes it` : null;
}

/** Tests of containers stay out where they cannot run, unless the caller says that here they must. */
async function containers(): Promise<{ totals: Totals; projects: readonly string[] }> {
  const lack = await lackForContainers();
  if (lack === null) return { totals: { passed: 0, failed: 0 }, projects: [] };
  const isRequired = process.env['KITH_TEST_DOCKER'] === 'required';
  process.stdout.write(`${isRequired ? 'FAILED' : 'left out'}: tests of containers: ${lack}\n`);
  return { totals: { passed: 0, failed: isRequired ? 1 : 0 }, projects: ['--project=!docker'] };
}

async function vitest(projects: readonly string[]): Promise<Totals> {
  const report = join(tmpdir(), `kith-test-${process.pid}.json`);
  const status = await run('vitest', [
    'run',
    ...filters,
    ...projects,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  try {
    const found = JSON.parse(await readFile(report, 'utf8')) as {
      numPassedTests: number;
      numFailedTests: number;
      numPendingTests: number;
      numFailedTestSuites: number;
    };
    // A file that could not be loaded, a skipped test and an unowned error all count as failures.
    const others = found.numPendingTests + (found.numFailedTests === 0 && status !== 0 ? 1 : 0);
    return { passed: found.numPassedTests, failed: found.numFailedTests + others };
  } catch (error) {
    process.stdout.write(`vitest left no report: ${String(error)}\n`);
    return { passed: 0, failed: 1 };
  } finally {
    await rm(report, { force: true });
  }
}

const totals: Totals[] = [];
if (filters.length === 0) {
  totals.push(await check('format', 'oxfmt', ['--check', '.']));
  totals.push(await check('lint', 'oxlint', ['--type-aware', '--deny-warnings']));
  totals.push(await check('types', 'tsc', ['--noEmit']));
}
const engine = await containers();
totals.push(engine.totals, await vitest(engine.projects));
const passed = totals.reduce((sum, part) => sum + part.passed, 0);
const failed = totals.reduce((sum, part) => sum + part.failed, 0);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
