import { spawn as spawnPty } from '@lydell/node-pty';
import { eventually } from './eventually.ts';
import { WAIT_MS } from '../cluster/cluster.ts';

export type Terminal = ReturnType<typeof openTerminal>;

/** A program in a terminal of 100 x 30. */
export function openTerminal(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
) {
  const pty = spawnPty(program, [...args], { cols: 100, rows: 30, cwd: '/', env: { ...env, TERM: 'xterm' } });
  let text = '';
  pty.onData((data) => {
    text += data;
  });
  const ended = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
  return {
    pty,
    ended,
    text: () => text,
    [Symbol.dispose]: () => pty.kill('SIGKILL'),
    type: (keys: string) => pty.write(keys),
    shows: (what: RegExp) =>
      eventually(
        () => {
          if (what.test(text)) return true;
          throw new Error(`the terminal shows ${JSON.stringify(text.slice(-500))}`);
        },
        { withinMs: WAIT_MS },
      ),
  };
}
