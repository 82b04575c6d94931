import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { CliError } from '../line/cli-error.ts';
import type { World } from '../line/world.ts';

/** What `kith login` saves: tokens by base URL of a peer's API. Only its owner may read the file. */
export type Hosts = {
  /** Used where no host is named. */
  readonly default: string | null;
  readonly hosts: Readonly<Record<string, { readonly token: string; readonly user: string }>>;
};

export function hostsPath(env: World['env']): string {
  const config = env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config');
  return join(config, 'kith', 'hosts.json');
}

export function readHosts(env: World['env']): Hosts {
  const path = hostsPath(env);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return { default: null, hosts: {} };
    throw new CliError(`Cannot read the saved logins in "${path}"`, { cause: error });
  }
  try {
    const saved: Partial<Hosts> = JSON.parse(text);
    return { default: saved.default ?? null, hosts: saved.hosts ?? {} };
  } catch (error) {
    const hint = 'Remove the file and run `kith login` again';
    throw new CliError(`Cannot read the saved logins in "${path}": it is no JSON`, { hint, cause: error });
  }
}

export function writeHosts(env: World['env'], hosts: Hosts): void {
  const path = hostsPath(env);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = `${path}.new`;
  writeFileSync(fresh, `${JSON.stringify(hosts, null, 2)}\n`, { mode: 0o600 });
  chmodSync(fresh, 0o600);
  renameSync(fresh, path);
}
