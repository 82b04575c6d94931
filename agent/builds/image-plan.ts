import { posix } from 'node:path';
import { parseHerokuYaml, type HerokuYaml } from '../../src/builds/heroku-yaml.ts';
import { PlatformError } from '../../src/errors.ts';
import { readAppFile } from './app-tree.ts';
import type { BuildEngine } from './build-engine.ts';

/** How an app is built by a Dockerfile. */
export type ImagePlan = {
  /** Folder of the app, relative to its root, that the Dockerfile stands in and builds from. */
  readonly contextDir: string;
  readonly dockerfile: string;
  readonly args: Readonly<Record<string, string>>;
  readonly run: HerokuYaml['run'];
  readonly release: string | null;
};

const DOCKERFILE = 'Dockerfile';

/**
 * How an app that sets no buildpack is built by a Dockerfile: as its heroku.yml says, else by the Dockerfile at its root. Null:
 * it has neither, or a mere Dockerfile where no Engine is, and a buildpack may still know it.
 */
export async function planImage(
  appDir: string,
  engine: BuildEngine | null,
  print: (line: string) => void,
): Promise<ImagePlan | null> {
  const plan = await planByHerokuYaml(appDir);
  if (plan !== null) return plan;
  const simple = await planByDockerfile(appDir);
  if (simple === null || engine !== null) return simple;
  print(' !     This app has a Dockerfile, but this peer has no Docker Engine to build it with:');
  print(' !     a buildpack is used instead, if one fits. `kith peers` shows peers whose runtime is docker.');
  return null;
}

/** What the app's heroku.yml asks for; null where it has none that names a Dockerfile. */
export async function planByHerokuYaml(appDir: string): Promise<ImagePlan | null> {
  const text = await readAppFile(appDir, 'heroku.yml');
  if (text === null) return null;
  const { dockerfile, args, run, release } = parseHerokuYaml(text);
  if (dockerfile === null) return null;
  const path = posix.normalize(dockerfile);
  if (path.startsWith('/') || path.startsWith('../') || (await readAppFile(appDir, path)) === null) {
    throw new PlatformError(
      'build_failed',
      `Cannot build "${dockerfile}" of heroku.yml: there is no such file in the app`,
    );
  }
  return { contextDir: posix.dirname(path), dockerfile: posix.basename(path), args, run, release };
}

/** An app that is nothing but a Dockerfile and what it copies. */
export async function planByDockerfile(appDir: string): Promise<ImagePlan | null> {
  if ((await readAppFile(appDir, DOCKERFILE)) === null) return null;
  return { contextDir: '.', dockerfile: DOCKERFILE, args: {}, run: null, release: null };
}
