import { randomBytes } from 'node:crypto';
import { parseAppJson, type AppJson } from '../../src/builds/app-json.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { UserEmail } from '../../src/ledger/values.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import { readAppFile } from './app-tree.ts';

const SECRET_BYTES = 32;

export type SetUpHost = Pick<PeerHost, 'view' | 'command' | 'seal' | 'open'>;

/** The source's app.json; null where it has none. Throws `build_failed` for a flawed one. */
export async function appJsonOf(appDir: string, environment: string | null): Promise<AppJson | null> {
  const text = await readAppFile(appDir, 'app.json');
  return text === null ? null : parseAppJson(text, environment);
}

/**
 * Before an app's first build: sets the config vars that its app.json gives values to and nobody has set, in one release,
 * and names those that somebody must set. Repeated, it sets nothing anew.
 * @returns the app as it is then
 */
export async function setUpConfig(
  host: SetUpHost,
  app: App,
  { env }: Pick<AppJson, 'env'>,
  user: UserEmail,
  print: (line: string) => void,
): Promise<App> {
  const hasRun = [...app.releases.values()].some(({ slug }) => slug !== null);
  const unset = hasRun ? [] : env.filter(({ key }) => (app.config.get(key)?.value ?? null) === null);
  const given = unset.flatMap(({ key, value }) => {
    if (value === null) return [];
    return [[key, typeof value === 'string' ? value : randomBytes(SECRET_BYTES).toString('hex')] as const];
  });
  if (given.length > 0) {
    const sealed = given.map(([key, value]) => [key, host.seal(app.id, key, value)] as const);
    await host.command(
      { type: 'config.patch', app: app.id, config: Object.fromEntries(sealed) },
      { user, request: null },
    );
    print(`-----> Setting config vars of app.json: ${given.map(([key]) => key).join(', ')}`);
  }
  for (const { key } of unset.filter(({ value, required }) => value === null && required)) {
    print(` !     app.json asks for the config var ${key}, which is not set: kith config:set ${key}=...`);
  }
  return host.view().apps.get(app.id) ?? app;
}
