import { join } from 'node:path';
import { ROOT } from '../../scripts/lib/agent-process.ts';
import { openTerminal } from '../helpers/terminal.ts';
import type { Terminal } from '../helpers/terminal.ts';
import type { Peer } from './peer.ts';

/** The CLI in a terminal. */
export function openCli(peer: Peer, args: readonly string[]): Terminal {
  const host = `unix:${join(peer.dir, 'kith.sock')}`;
  return openTerminal(join(ROOT, 'cli', 'kith'), args, { ...process.env, KITH_HOST: host, NO_COLOR: '1' });
}
