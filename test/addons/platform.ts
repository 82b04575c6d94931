import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { AddonWorker } from '../../agent/addons/addon-worker.ts';
import { AgentAddons } from '../../agent/addons/agent-addons.ts';
import { Tasks } from '../../agent/lib/tasks.ts';
import { Duties } from '../../agent/peer/duties.ts';
import type { DutyWorkers } from '../../agent/peer/duties.ts';
import { addonDuties } from '../../src/ledger/addons/addon-work.ts';
import type { PeerFacts } from '../../src/facts.ts';
import { startApi } from '../api/harness.ts';
import type { Harness } from '../api/harness.ts';

/** The real API and the real worker of duties, of a peer that is alone. */
export type Platform = Harness & {
  /** Ends the worker as a peer that dies would, in the middle of whatever it does. */
  stopWorking(): void;
  startWorking(): void;
};

export async function startPlatform(): Promise<Platform> {
  const api = await startApi();
  const log = pino({ level: 'info' }, { write: (line: string) => api.logged.push(line) });
  const closing = new AbortController();
  api.host.statuses.push({
    peer: api.host.self,
    verdict: 'alive',
    facts: {
      addrs: { mesh: [], api: api.url.slice('http://'.length), http: '', proxy: '' },
      dynos: [],
      oneOffs: [],
    } as unknown as PeerFacts,
  });
  const host = () => api.host;
  const addons = new AgentAddons(host, '127.0.0.1');
  const worker = new AddonWorker({ host, addons, log });
  // Of other kinds there are no duties here.
  const workers = {
    addon: (...given: Parameters<DutyWorkers['addon']>) => worker.work(...given),
  } as unknown as DutyWorkers;
  const tasks = new Tasks(log);
  const working: { duties: Duties | null } = { duties: null };
  const following = (async () => {
    while (!closing.signal.aborted) {
      working.duties?.follow(addonDuties(api.host.view()));
      await sleep(5);
    }
  })();
  const platform = {
    ...api,
    startWorking() {
      working.duties = new Duties(workers, tasks, log);
    },
    stopWorking() {
      working.duties?.close();
      working.duties = null;
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await following;
      platform.stopWorking();
      await tasks.settled();
      await api[Symbol.asyncDispose]();
    },
  };
  platform.startWorking();
  return platform;
}
