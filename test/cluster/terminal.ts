import { join } from 'node:path';
import { spawn as spawnPty } from '@lydell/node-pty';
import { ROOT } from '../../scripts/lib/agent-process.ts';
import { eventually } from '../helpers/eventually.ts';
import { WAIT_MS } from './cluster.ts';
import type { Peer } from './peer.ts';

/** The CLI in a terminal of 100 x 30. */
export function openTerminal(peer: Peer, args: readonly string[]) {
  const pty = spawnPty(join(ROOT, 'cli', 'kith'), [...args], {
    cols: 100,
    rows: 30,
    cwd: '/',
    env: { ...process.env, KITH_HOST: `unix:${join(peer.dir, 'kith.sock')}`, TERM: 'xterm', NO_COLOR: '1' },
  });
  let text = '';
  pty.onData((data) => {
    text += data;
  });
  const ended = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
  return {
    pty,
    ended,
    [Symbol.dispose]: () => pty.kill('SIGKILL'),
    text: () => text,
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
