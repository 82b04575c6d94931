import { join } from 'node:path';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { Builds } from '../../src/shell/builds.ts';
import { AddonWorker } from '../addons/addon-worker.ts';
import { AgentAddons } from '../addons/agent-addons.ts';
import { openApi } from '../api/server.ts';
import { openBuilds } from '../builds/builder.ts';
import { AutoCertificates } from '../certificates/auto-certificates.ts';
import { openClusterBuilds } from '../builds/cluster-builds.ts';
import { advertisedHosts } from '../config/addresses.ts';
import { openGit } from '../git/git-server.ts';
import type { DutyWorkers } from '../peer/duties.ts';
import { pipelineWorkers } from '../pipelines/workers.ts';
import { openReleases } from '../releases/releases.ts';
import type { Base } from './base.ts';
import type { DynoSide } from './dyno-side.ts';
import { pickPort } from './ports.ts';
import { openTls } from './tls.ts';
import { webUrl } from './web-url.ts';
import type { World } from './world.ts';

/** The peer as its users see it: API, git, builds. */
export type UserSide = {
  readonly api: { readonly port: number };
  readonly builds: Builds;
  readonly tls: ReturnType<typeof openTls>;
  readonly dutyWorkers: Pick<DutyWorkers, 'addon' | 'promotion' | 'setup' | 'review' | 'certificate'>;
};

export async function openUserSide(
  parts: AsyncDisposableStack,
  base: Base,
  world: World,
  { releaseRunner, volumes }: Pick<DynoSide, 'releaseRunner' | 'volumes'>,
): Promise<UserSide> {
  const { config, dir, past, holders, others, log } = base;
  const { blobs, stack, runtime, router, logs } = world;
  const host = base.host();
  const releases = openReleases({ ...base, ...world, runner: releaseRunner });
  const urlOf = (app: App): string => webUrl(app, config.domain, router);
  const builds = parts.use(
    await openBuilds({
      dir: dir.path,
      host,
      blobs,
      webUrl: urlOf,
      internalHost: runtime.internalHost,
      log: log.child({ component: 'builds' }),
      runtimeArch: process.arch,
      peersForReplication: others,
      onLog: (app, text) => logs.append({ app, source: 'app', process: 'api', text }),
      buildpacksDir: join(import.meta.dirname, '..', '..', 'buildpacks'),
      containerImage: runtime.kind === 'docker' ? config.stackImage : null,
    }),
  );
  const clusterBuilds = openClusterBuilds({
    ...base,
    local: builds,
    log: log.child({ component: 'builds' }),
  });
  const common = { host, blobs, builds, clusterBuilds, releases };
  const gitLog = log.child({ component: 'git' });
  const git = await openGit({ ...common, dir: dir.path, log: gitLog, gitHolders: holders });
  const tls = openTls(advertisedHosts(config.host), config.domain);
  const addonLog = log.child({ component: 'addons' });
  const addons = new AgentAddons(base.host, runtime.internalHost);
  const addonWorker = new AddonWorker({ host: base.host, addons, log: addonLog });
  const api = parts.use(
    await openApi({
      ...common,
      addons,
      logs,
      git,
      stack,
      volumes,
      socketPath: dir.socket,
      tls: tls.current,
      log: log.child({ component: 'api' }),
      listen: { host: config.host, port: await pickPort(config.host, config.api, past.ports.api) },
      webUrl: urlOf,
    }),
  );
  const dutyWorkers = pipelineWorkers({
    ...common,
    addons,
    holders,
    log: log.child({ component: 'pipelines' }),
  });
  const certificates = new AutoCertificates({
    host: base.host,
    log: log.child({ component: 'certificates' }),
  });
  return {
    api,
    builds,
    tls,
    dutyWorkers: {
      ...dutyWorkers,
      addon: (duty, signal) => addonWorker.work(duty, signal),
      certificate: (duty, signal) => certificates.work(duty, signal),
    },
  };
}
