import { join } from 'node:path';
import { ROOT } from '../../scripts/lib/agent-process.ts';
import { eventually } from '../helpers/eventually.ts';
import { openTerminal } from '../helpers/terminal.ts';
import type { Terminal } from '../helpers/terminal.ts';
import { WAIT_MS } from './cluster.ts';
import type { Peer } from './peer.ts';

/** The CLI in a terminal. */
export function openCli(peer: Peer, args: readonly string[]): Terminal {
  const host = `unix:${join(peer.dir, 'kith.sock')}`;
  return openTerminal(join(ROOT, 'cli', 'kith'), args, { ...process.env, KITH_HOST: host, NO_COLOR: '1' });
}

/** Proves on a shell that changes of the terminal's size arrive. */
export async function hearsOfSize(terminal: Terminal): Promise<void> {
  await saysOfSize(terminal, '30 100');
  terminal.pty.resize(120, 40);
  await saysOfSize(terminal, '40 120');
}

function saysOfSize(terminal: Terminal, size: string): Promise<true> {
  return eventually(
    () => {
      if (terminal.text().includes(size)) return true;
      terminal.type('stty size\r');
      throw new Error(`the terminal shows ${JSON.stringify(terminal.text().slice(-500))}`);
    },
    { withinMs: WAIT_MS, everyMs: 500 },
  );
}

/** Proves on a shell that Ctrl-C ends what it runs, and nothing else. */
export async function hearsCtrlC(terminal: Terminal): Promise<void> {
  terminal.type('sleep 1000; echo after $?\r');
  await terminal.shows(/sleep 1000; echo after \$\?\r*\n/);
  await eventually(
    () => {
      if (terminal.text().includes('back 21')) return true;
      terminal.type('\u0003');
      terminal.type('echo back $((20+1))\r');
      return false;
    },
    { withinMs: WAIT_MS, everyMs: 1_000 },
  );
}
