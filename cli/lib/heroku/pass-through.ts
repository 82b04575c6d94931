import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { World } from '../line/world.ts';

/** Runs a program as our child, passing terminal and signals through. @returns its exit status, or 128 and its signal */
export function passThrough(
  program: string,
  args: readonly string[],
  world: World,
  env: World['env'] = world.env,
): Promise<number> {
  const child = spawn(program, [...args], { cwd: world.cwd, env: { ...env }, stdio: 'inherit' });
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  // At a terminal, Ctrl-C reaches parent and child alike: passed on, it would be the second one, which means "at once".
  const isAtTerminal = [world.stdin, world.stdout, world.stderr].some((stream) => stream.isTTY === true);
  process.on('SIGINT', isAtTerminal ? () => undefined : forward);
  process.on('SIGTERM', forward);
  process.on('SIGHUP', forward);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once('error', reject);
  child.once('exit', (status, signal) =>
    resolve(status ?? 128 + (signal === null ? 0 : constants.signals[signal])),
  );
  return promise;
}
