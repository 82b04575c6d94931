/**
 * The stack that buildpacks are told: classic ones look it up in a list, so it bears the name of the Heroku stack that
 * ours is like.
 */
export const STACK = 'heroku-24';

// How this host reaches the network is the host's business, so a build learns it; nothing else of the agent's
// environment gets through.
const NETWORK_KEYS = [
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GIT_SSL_CAINFO',
  'PIP_CERT',
  'CURL_CA_BUNDLE',
  'PIP_INDEX_URL',
  'npm_config_registry',
  'GOPROXY',
  'GOSUMDB',
];

/** The environment of a build before its own folders are known. Config vars are not in it: they are files. */
export function buildEnv(agentEnv: NodeJS.ProcessEnv, toolsBin: string): Readonly<Record<string, string>> {
  const network = NETWORK_KEYS.flatMap((key) => {
    const value = agentEnv[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  return {
    ...Object.fromEntries(network),
    PATH: `${toolsBin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    LANG: 'C.UTF-8',
    STACK,
  };
}
