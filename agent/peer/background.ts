import { loadavg } from 'node:os';
import type { Logger } from 'pino';
import type { AppId } from '../../src/ids.ts';
import type { View } from '../../src/ledger/view.ts';
import type { Builds } from '../../src/shell/builds.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import type { Logs } from '../../src/shell/logs.ts';
import type { Tasks } from '../lib/tasks.ts';
import { every } from '../lib/timers.ts';
import type { PeerLoop } from './peer-loop.ts';

const LOAD_EVERY_MS = 60_000;

/** Forgets what is kept here of an app that was destroyed, wherever that was done. */
export function forgetDestroyed(
  host: PeerHost,
  { logs, builds, tasks }: { logs: Logs; builds: Builds; tasks: Tasks },
): () => void {
  const forgotten = new Set<AppId>();
  let seen: View | null = null;
  return () => {
    const view = host.view();
    if (view === seen) return;
    seen = view;
    for (const { id, destroyed } of view.apps.values()) {
      if (!destroyed || forgotten.has(id)) continue;
      forgotten.add(id);
      tasks.run('forget logs', () => logs.remove(id));
      tasks.run('forget build cache', () => builds.purgeCache(id));
    }
  };
}

export type BackgroundParts = {
  readonly host: PeerHost;
  readonly loop: PeerLoop;
  readonly tasks: Tasks;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Called after each change of state, and once at the start. */
  readonly follow: readonly (() => void)[];
};

/** What goes on beside the machine for as long as the agent runs. */
export function startBackground({ host, loop, log, signal, follow }: BackgroundParts): void {
  const onChange = (): void => {
    for (const look of follow) look();
    if (host.view().members.get(host.self)?.state !== 'removed' || loop.state.stopping) return;
    log.error({ hint: 'to join again, remove the data directory' }, 'this peer was removed from its cluster');
    loop.dispatch({ tag: 'stopAll' });
  };
  loop.onChange(onChange);
  onChange();
  every(LOAD_EVERY_MS, signal, () =>
    loop.dispatch({ tag: 'load', load: Math.round((loadavg()[0] ?? 0) * 10) / 10 }),
  );
}
