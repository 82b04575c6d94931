import type { Logger } from 'pino';
import type { View } from '../../src/ledger/view.ts';
import type { Builds } from '../../src/shell/builds.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import type { Runtime } from '../../src/shell/runtime.ts';
import type { Tasks } from '../lib/tasks.ts';
import type { PeerLoop } from './peer-loop.ts';

export type FollowStackParts = {
  readonly stack: { follow(view: View, onReady: () => void): void };
  readonly choice: 'auto' | 'docker' | 'process';
  readonly runtime: Runtime;
  readonly host: PeerHost;
  readonly loop: PeerLoop;
  readonly builds: Builds;
  readonly tasks: Tasks;
  readonly log: Logger;
  readonly startOver: () => void;
};

/**
 * Keeps the Engine's stack image as the ledger names it. A peer that had to run dynos as processes because the image was
 * not here starts over with containers when it has come and nothing runs; else its next start does.
 */
export function followStack(parts: FollowStackParts): () => void {
  const { stack, choice, runtime, host, loop, tasks, log, startOver } = parts;
  const onReady = (): void => {
    if (choice !== 'auto' || runtime.kind !== 'process') return;
    if (!isIdle(parts)) {
      log.info('the stack image has come: the next start of this agent runs dynos in containers');
      return;
    }
    log.info('the stack image has come: starting over, to run dynos in containers');
    loop.dispatch({ tag: 'runtime', on: false, reason: 'it is about to run dynos in containers' });
    tasks.run('start over with containers', async () => {
      await runtime.shutdown();
      startOver();
    });
  };
  return () => {
    if (choice !== 'process') stack.follow(host.view(), onReady);
  };
}

function isIdle({ loop, host, builds }: FollowStackParts): boolean {
  const { dynos, oneOffs } = loop.state;
  const isBuilding = [...host.view().names.values()].some((app) => builds.pending(app).length > 0);
  return dynos.size === 0 && oneOffs.length === 0 && !isBuilding;
}
