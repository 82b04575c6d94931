import { join } from 'node:path';
import { findDrain } from '../../src/ledger/drains/drain-duties.ts';
import type { AdoptedDyno } from '../../src/peer/create.ts';
import { volumesOf } from '../../src/placement/wanted.ts';
import { Drains } from '../drains/drains.ts';
import { Inside } from '../one-offs/inside.ts';
import { OneOffs } from '../one-offs/one-offs.ts';
import { adoptedFrom } from '../peer/dyno-labels.ts';
import type { DutyWorkers } from '../peer/duties.ts';
import { DynoManager } from '../peer/dyno-manager.ts';
import { dynoEnvironment, lifeEnvironment } from '../peer/environment.ts';
import { UsageWatch } from '../peer/usage-watch.ts';
import { ReleaseRunner } from '../releases/release-runner.ts';
import { openVolumes, type AgentVolumes } from '../volumes/volumes.ts';
import type { Base } from './base.ts';
import type { World } from './world.ts';

/** All that runs something here, by the machine's decision or by a user's. */
export type DynoSide = {
  readonly dynos: DynoManager;
  readonly oneOffs: OneOffs;
  /** Commands in running dynos, and copies out of them. */
  readonly inside: Inside;
  readonly releaseRunner: ReleaseRunner;
  readonly volumes: AgentVolumes;
  readonly usage: UsageWatch;
  readonly dutyWorkers: Pick<DutyWorkers, 'drain'>;
  /** Takes back what outlived the last agent. @returns the formation dynos, for the machine */
  adopt(): Promise<readonly AdoptedDyno[]>;
};

export async function openDynoSide(parts: AsyncDisposableStack, base: Base, world: World): Promise<DynoSide> {
  const { mesh, keys, loop, opened, host, holders, others, log } = base;
  const { runtime, positions } = world;
  const common = { ...base, ...world };
  const oneOffs = parts.use(
    new OneOffs({
      ...common,
      self: mesh.self,
      environment: (app, release, name) => dynoEnvironment(app, release, name, keys),
      volumesOf(id, type) {
        const app = host().view().apps.get(id);
        return app === undefined ? [] : volumesOf(app, type);
      },
      volumePath: (volume, copy) => volumes.path(volume, copy),
      publish: (list, took) => opened()?.dispatch({ tag: 'oneOffs', list, took }),
    }),
  );
  const inside = new Inside(common);
  const usage = new UsageWatch({
    ...common,
    state: () => loop().state,
    view: () => loop().state.fold.view,
  });
  const volumes = await openVolumes({
    ...common,
    dir: join(base.dir.path, 'volumes'),
    oneOffWith: (volume) => oneOffs.withVolume(volume),
    isUsed: (volume) =>
      dynos.isMounted(volume) ||
      oneOffs.withVolume(volume) !== null ||
      [...loop().state.dynos.values()].some(({ slot }) =>
        slot.volumes.some((each) => each.volume === volume),
      ),
    log: log.child({ component: 'volumes' }),
  });
  const drains = parts.use(
    new Drains({
      ...common,
      path: join(base.dir.path, 'drain-cursors.json'),
      find(drain) {
        const view = opened()?.state.fold.view;
        return view === undefined ? null : findDrain(view, drain);
      },
      open: (app, key, sealed) => keys.open(app, key, sealed),
      log: log.child({ component: 'drains' }),
    }),
  );
  const releaseRunner = new ReleaseRunner({
    ...common,
    start: (app, release, request, size) => oneOffs.start(app, release, request, size),
    stop: (dyno) => oneOffs.stop(dyno),
    peersForReplication: others,
    log: log.child({ component: 'releases' }),
  });
  const dynos: DynoManager = new DynoManager({
    ...common,
    volumePath: (volume, copy) => volumes.path(volume, copy),
    report: (dyno, event) => opened()?.dispatch({ tag: 'dyno', dyno, event }),
    environment: (life) => lifeEnvironment(life, host().view(), keys),
    onForeign(event) {
      releaseRunner.onRuntime(event);
      oneOffs.onRuntime(event);
    },
    holders,
    onAvailable: (on, reason) => opened()?.dispatch({ tag: 'runtime', on, reason }),
  });
  return {
    dynos,
    oneOffs,
    inside,
    releaseRunner,
    volumes,
    usage,
    dutyWorkers: {
      drain: (duty, signal) => drains.work(duty, signal),
    },
    async adopt() {
      const found = await runtime.list((dyno) => positions.last(dyno));
      const adopted = found.flatMap((dyno) => adoptedFrom(dyno) ?? []);
      for (const { dyno, slot } of adopted) dynos.know(dyno, slot.app, `${slot.type}.${slot.index}`);
      for (const dyno of found) {
        releaseRunner.adopt(dyno);
        oneOffs.adopt(dyno);
      }
      return adopted;
    },
  };
}
