import { delimiter, dirname } from 'node:path';
import type { World } from '../line/world.ts';

export type HerokuAccess = {
  /** `127.0.0.1:PORT`: the only kind of host that the official CLI sends a token to. */
  readonly address: string;
  readonly token: string;
  /** PEM file with the cluster's own CA, and those that the user trusts besides. */
  readonly caFile: string;
  /** The CLI itself: git asks `heroku git:credentials` for a password. */
  readonly program: string;
};

/**
 * What makes the official CLI, and the git that it sets up, speak to a peer and to nobody else. Where it would ask a
 * service of its vendor, it asks the peer, which says that it has none.
 */
export function herokuEnv(
  { address, token, caFile, program }: HerokuAccess,
  env: World['env'],
): Readonly<Record<string, string>> {
  const base = `https://${address}`;
  return {
    HEROKU_HOST: base,
    HEROKU_API_KEY: token,
    NODE_EXTRA_CA_CERTS: caFile,
    HEROKU_PARTICLEBOARD_URL: base,
    HEROKU_BUILDPACK_REGISTRY_URL: base,
    HEROKU_LOGIN_HOST: base,
    HEROKU_EXEC_URL: `${base}/`,
    HEROKU_STATUS_HOST: base,
    HEROKU_DATA_HOST: address,
    DISABLE_TELEMETRY: 'true',
    HEROKU_DISABLE_AUTOUPDATE: 'true',
    HEROKU_SKIP_NEW_VERSION_CHECK: 'true',
    ...gitTrust(base, caFile, env),
    ...onPath(dirname(program), env),
  };
}

/** Git trusts the CA for this peer's address only; a variable that says what it trusts everywhere would overrule that. */
function gitTrust(base: string, caFile: string, env: World['env']): Readonly<Record<string, string>> {
  return env['GIT_SSL_CAINFO'] === undefined
    ? withGitConfig(`http.${base}/.sslCAInfo`, caFile, env)
    : { GIT_SSL_CAINFO: caFile };
}

/** One more setting for git, which leaves those alone that the environment has. */
function withGitConfig(key: string, value: string, env: World['env']): Readonly<Record<string, string>> {
  const count = Number.parseInt(env['GIT_CONFIG_COUNT'] ?? '0', 10) || 0;
  const keys = Array.from({ length: count }, (_, index) => env[`GIT_CONFIG_KEY_${index}`]);
  // In a shell that has it already.
  const index = keys.includes(key) ? keys.indexOf(key) : count;
  return {
    GIT_CONFIG_COUNT: String(Math.max(count, index + 1)),
    [`GIT_CONFIG_KEY_${index}`]: key,
    [`GIT_CONFIG_VALUE_${index}`]: value,
  };
}

function onPath(folder: string, env: World['env']): Readonly<Record<string, string>> {
  const path = env['PATH'] ?? '';
  return path.split(delimiter).includes(folder) ? {} : { PATH: `${folder}${delimiter}${path}` };
}
