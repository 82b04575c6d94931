import type { DynoResource } from '../../src/platform/dyno.ts';
import type { FormationResource } from '../../src/platform/formation.ts';
import { UsageError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { poll } from '../lib/api/poll.ts';
import { newestReleases } from '../lib/releases.ts';
import { parseDuration } from '../lib/print/time.ts';

export default defineCommand({
  ofApp: true,
  flags: {
    type: { kind: 'string', short: 't', value: 'TYPE', summary: 'wait for one process type only' },
    timeout: { kind: 'string', value: 'TIME', summary: 'give up after this long, e.g. 90s (10m)' },
  },
  async run(context) {
    const { api, screen, flags, world } = context;
    const seconds = parseDuration(flags.timeout ?? '10m');
    if (seconds === null) throw new UsageError(`"${flags.timeout}" is no time`, 'Write it like 90s or 10m');
    const appPath = await context.appPath();
    // One whose release command failed never runs.
    const newest = (await newestReleases(api, appPath, 10)).find(({ status }) => status !== 'failed');
    const isWanted = ({ type }: { readonly type: string }): boolean =>
      flags.type === undefined || type === flags.type;
    const dynos = await screen.progress(
      `Waiting for every dyno of ${screen.app(await context.app())} to run ${newest?.label ?? 'its release'}`,
      (update) =>
        poll(
          async () => {
            const [formation, running] = await Promise.all([
              api.get<readonly FormationResource[]>(`${appPath}/formation`),
              api.get<readonly DynoResource[]>(`${appPath}/dynos`),
            ]);
            const wanted = formation.filter(isWanted).reduce((sum, { quantity }) => sum + quantity, 0);
            const mine = running.filter((dyno) => isWanted(dyno) && dyno.type !== 'run');
            const ready = mine.filter(({ state, release }) => state === 'up' && release.id === newest?.id);
            update(`${ready.length} of ${wanted}`);
            // Old dynos that are still stopping mean that the change is under way.
            return ready.length >= wanted && mine.length === ready.length ? mine : null;
          },
          {
            everyMs: world.pollMs,
            withinMs: seconds * 1_000,
            lateMessage: `Not every dyno runs ${newest?.label ?? 'the newest release'} after ${flags.timeout ?? '10m'}`,
            hint: 'See `kith ps` and `kith logs` for what keeps them',
          },
        ),
    );
    if (screen.isJson) screen.json(dynos);
  },
});
