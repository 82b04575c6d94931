import type { Logger } from 'pino';
import type { PeerId } from '../../src/ids.ts';
import type { AgentConfig } from '../config/config.ts';
import type { DataKeys } from '../keys/data-keys.ts';
import type { Tasks } from '../lib/tasks.ts';
import type { AgentHost } from '../peer/peer-host.ts';
import type { PeerLoop } from '../peer/peer-loop.ts';
import type { DataDir } from './data-dir.ts';
import type { Ledger } from './ledger.ts';

/** What every part of an agent may be built on. */
export type Base = Ledger & {
  readonly config: AgentConfig;
  readonly dir: DataDir;
  readonly keys: DataKeys;
  readonly tasks: Tasks;
  readonly log: Logger;
  /** Aborts when the agent closes. */
  readonly closing: AbortSignal;
  /** The machine, which comes last: before that it throws `unavailable`. */
  readonly loop: () => PeerLoop;
  /** The machine if there is one: news of before is not worth keeping. */
  readonly opened: () => PeerLoop | null;
  readonly host: () => AgentHost;
  /** Live peers that say they hold a blob. */
  readonly holders: (blob: string) => readonly PeerId[];
  /** Other peers that are alive. */
  readonly others: () => readonly PeerId[];
};
