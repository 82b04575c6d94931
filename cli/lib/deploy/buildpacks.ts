import type { BuildpackInstallationResource } from '../../../src/platform/buildpack-installation.ts';
import type { Context } from '../line/context.ts';

export type Installations = readonly BuildpackInstallationResource[];

export async function readBuildpacks(context: Context): Promise<readonly string[]> {
  const path = await context.appPath('/buildpack-installations');
  const installed = await context.api.get<Installations>(path);
  return installed.map(({ buildpack }) => buildpack.url);
}

/** Replaces the whole list, and tells what the next push will use. */
export async function writeBuildpacks(
  context: Context,
  urls: readonly string[],
  what: 'added' | 'removed' | 'set' | 'cleared',
): Promise<void> {
  const { api, screen } = context;
  const updates = urls.map((buildpack) => ({ buildpack }));
  const installed = await api.put<Installations>(await context.appPath('/buildpack-installations'), {
    updates,
  });
  if (screen.isJson) {
    screen.json(installed);
    return;
  }
  const names = installed.map(({ buildpack }) => buildpack.name);
  const app = await context.app();
  if (names.length === 0) {
    screen.line(`Buildpacks ${what}. Next release on ${app} will detect its buildpack.`);
  } else if (names.length === 1) {
    screen.line(`Buildpack ${what}. Next release on ${app} will use ${names[0]}.`);
  } else {
    screen.line(`Buildpack ${what}. Next release on ${app} will use:`);
    names.forEach((name, index) => screen.line(`  ${index + 1}. ${name}`));
  }
  screen.line('Deploy again to make a release with them: git push kith main');
}

/** Whether a buildpack of the list is the one that was named: by URL, or by its short name. */
export function isBuildpack(url: string, named: string): boolean {
  return url === named || url === `urn:buildpack:${named}`;
}
