import { join } from 'node:path';
import type { Builds } from '../../src/shell/builds.ts';
import { openApi } from '../api/server.ts';
import { openBuilds } from '../builds/builder.ts';
import { advertisedHosts } from '../config/addresses.ts';
import { openGit } from '../git/git-server.ts';
import { openReleases } from '../releases/releases.ts';
import type { Base } from './base.ts';
import type { DynoSide } from './dyno-side.ts';
import { pickPort } from './ports.ts';
import { openTls } from './tls.ts';
import type { World } from './world.ts';

/** The peer as its users see it: API, git, builds. */
export type UserSide = {
  readonly api: { readonly port: number };
  readonly builds: Builds;
  readonly tls: ReturnType<typeof openTls>;
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
  const builds = parts.use(
    await openBuilds({
      dir: dir.path,
      host,
      blobs,
      httpPort: router.httpPort,
      domain: config.domain,
      log: log.child({ component: 'builds' }),
      runtimeArch: process.arch,
      peersForReplication: others,
      onLog: (app, text) => logs.append({ app, source: 'app', process: 'api', text }),
      buildpacksDir: join(import.meta.dirname, '..', '..', 'buildpacks'),
      containerImage: runtime.kind === 'docker' ? config.stackImage : null,
    }),
  );
  const common = { host, blobs, builds, releases };
  const gitLog = log.child({ component: 'git' });
  const git = await openGit({ ...common, dir: dir.path, log: gitLog, gitHolders: holders });
  const tls = openTls(advertisedHosts(config.host), config.domain);
  const api = parts.use(
    await openApi({
      ...common,
      logs,
      git,
      stack,
      volumes,
      socketPath: dir.socket,
      tls: tls.current,
      log: log.child({ component: 'api' }),
      listen: { host: config.host, port: await pickPort(config.host, config.api, past.ports.api) },
      webUrl: (app) => `http://${app.name}.${config.domain ?? 'localhost'}:${router.httpPort}/`,
    }),
  );
  return { api, builds, tls };
}
