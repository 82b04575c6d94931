import { readFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PlatformError } from '../../src/errors.ts';
import { STACK_IMAGE } from '../../src/platform/stack.ts';

export type RuntimeChoice = 'auto' | 'docker' | 'process';

/** How an agent was asked to run. */
export type AgentConfig = {
  /** Absolute path of the data directory. */
  readonly dir: string;
  /** Address to listen on; `0.0.0.0` listens everywhere and advertises the machine's own addresses. */
  readonly host: string;
  /** Ports; 0 picks a free one. */
  readonly http: number;
  /** A second port for apps, for https; null: none. */
  readonly https: number | null;
  readonly api: number;
  readonly mesh: number;
  readonly runtime: RuntimeChoice;
  /** Image that containers run on; another than Kith's own is pulled from its registry. */
  readonly stackImage: string;
  /** Invite token to join with at the first start. */
  readonly join: string | null;
  /** What `kith peers` calls this host. */
  readonly name: string;
  /** Every app is also served as APP.<domain>. */
  readonly domain: string | null;
  /** Slugs, layers and histories that other peers keep as well may take so much of this disk. */
  readonly diskBudgetMiB: number;
  /** One dyno in a container may write so much where the Engine can bound it; 0: as much as there is. */
  readonly dynoDiskMiB: number;
  readonly logLevel: string;
};

/** One setting under its three names: flag, environment variable, key of the config file. */
const SETTINGS = {
  data: { env: 'KITH_DATA', help: 'data directory; /var/lib/kith for root, ~/.local/share/kith for others' },
  host: { env: 'KITH_HOST', help: 'address to listen on; 0.0.0.0, which is everywhere' },
  http: { env: 'KITH_HTTP', help: 'port for apps, over HTTP and TLS; 8001' },
  https: { env: 'KITH_HTTPS', help: 'a second port for apps, such as 443; none' },
  api: { env: 'KITH_API', help: 'port for the API, git and the CLI; 5001' },
  mesh: { env: 'KITH_MESH', help: 'port for other peers, whose routers use the one 1000 above; 6001' },
  runtime: {
    env: 'KITH_RUNTIME',
    help: 'docker, process, or auto: containers where an Engine with the stack is; auto',
  },
  'stack-image': {
    env: 'KITH_STACK_IMAGE',
    help: `image that containers run on, pulled when it is another than ${STACK_IMAGE}`,
  },
  join: { env: 'KITH_JOIN', help: 'invite token of a cluster to join' },
  name: { env: 'KITH_NAME', help: 'what `kith peers` calls this host; its host name' },
  domain: { env: 'KITH_DOMAIN', help: 'apps are served as APP.DOMAIN, besides APP.localhost' },
  'disk-budget': {
    env: 'KITH_DISK_BUDGET',
    help: 'MiB that slugs which other peers keep too may take here; 10240',
  },
  'dyno-disk': {
    env: 'KITH_DYNO_DISK',
    help: 'MiB that one dyno may write, where the Engine can bound it; 20480; 0 is no bound',
  },
  'log-level': { env: 'KITH_LOG_LEVEL', help: 'trace, debug, info, warn, error or silent; info' },
} as const;

type Setting = keyof typeof SETTINGS;

export const AGENT_USAGE = [
  'Usage: kith agent [--SETTING VALUE]...',
  '',
  'Each setting has a flag, a variable, and after the semicolon its default. A port of 0 picks a free one.',
  '',
  ...Object.entries(SETTINGS).map(([flag, { env, help }]) => `  --${flag.padEnd(12)} ${help} (${env})`),
  '  --config       JSON file with the same settings as keys (KITH_CONFIG; DIR/config.json if there)',
].join('\n');

/** Reads flags, then the environment, then the config file, then defaults. Throws `bad_request` naming what is wrong. */
export function readConfig(argv: readonly string[], env: NodeJS.ProcessEnv): AgentConfig {
  const flags = readFlags(argv);
  const dir = resolve(flags['data'] ?? env['KITH_DATA'] ?? defaultDataDir());
  const file = readConfigFile(flags['config'] ?? env['KITH_CONFIG'] ?? null, dir);
  const get = (setting: Setting): string | null => {
    const fromEnv = env[SETTINGS[setting].env];
    // The CLI's KITH_HOST is an API address, with a port or a scheme: only a bare address is meant for the agent.
    const isOurs = setting !== 'host' || (fromEnv !== undefined && !/:\d+$|\//.test(fromEnv));
    return (
      flags[setting] ??
      (isOurs && fromEnv !== undefined && fromEnv !== '' ? fromEnv : null) ??
      file[setting] ??
      null
    );
  };
  const https = get('https');
  return {
    dir,
    host: get('host') ?? '0.0.0.0',
    http: parsePort('http', get('http') ?? '8001'),
    https: https === null ? null : parsePort('https', https),
    api: parsePort('api', get('api') ?? '5001'),
    mesh: parsePort('mesh', get('mesh') ?? '6001'),
    runtime: parseRuntime(get('runtime') ?? 'auto'),
    stackImage: parseImage(get('stack-image') ?? STACK_IMAGE),
    join: get('join'),
    name: get('name') ?? hostname(),
    domain: get('domain'),
    diskBudgetMiB: parseMiB('disk-budget', get('disk-budget') ?? '10240'),
    // Heroku gives no number; it is there so that one dyno cannot fill a machine's disk.
    dynoDiskMiB: parseMiB('dyno-disk', get('dyno-disk') ?? '20480'),
    logLevel: parseLogLevel(get('log-level') ?? 'info'),
  };
}

/** Where an agent keeps its data unless told otherwise; the CLI looks for the socket in the same place. */
function defaultDataDir(): string {
  return process.getuid?.() === 0 ? '/var/lib/kith' : join(homedir(), '.local', 'share', 'kith');
}

function readFlags(argv: readonly string[]): Partial<Record<string, string>> {
  const options = Object.fromEntries(
    [...Object.keys(SETTINGS), 'config'].map((flag) => [flag, { type: 'string' as const }]),
  );
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: false }).values;
  } catch (cause) {
    const found = cause instanceof Error ? cause.message.split('. ')[0] : String(cause);
    throw new PlatformError('bad_request', `Cannot start the agent: ${found}`, { hint: AGENT_USAGE, cause });
  }
}

function readConfigFile(named: string | null, dir: string): Partial<Record<string, string>> {
  const path = named ?? join(dir, 'config.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (named === null && (code === 'ENOENT' || code === 'ENOTDIR')) return {};
    throw new PlatformError('bad_request', `Cannot read the config file "${path}"`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new PlatformError('bad_request', `The config file "${path}" is no JSON: ${found}`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PlatformError('bad_request', `The config file "${path}" must hold one JSON object`);
  }
  const unknown = Object.keys(value).find((key) => !(key in SETTINGS));
  if (unknown !== undefined) {
    throw new PlatformError('bad_request', `The config file "${path}" has an unknown setting "${unknown}"`, {
      hint: `Known settings: ${Object.keys(SETTINGS).join(', ')}`,
    });
  }
  return Object.fromEntries(Object.entries(value).map(([key, setting]) => [key, String(setting)]));
}

function parsePort(setting: Setting, text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new PlatformError('bad_request', `Cannot use "${text}" as the ${setting} port`, {
    hint: 'A port is a number from 0 to 65535; 0 picks a free one',
  });
}

function parseMiB(setting: Setting, text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new PlatformError('bad_request', `Cannot use "${text}" as the ${setting}`, {
    hint: 'It is a number of MiB, such as 10240',
  });
}

function parseRuntime(text: string): RuntimeChoice {
  if (text === 'auto' || text === 'docker' || text === 'process') return text;
  throw new PlatformError('bad_request', `Cannot use the runtime "${text}"`, {
    hint: 'Use auto, docker or process',
  });
}

function parseImage(text: string): string {
  if (/^[a-z0-9][\w./:-]*(?:@sha256:[0-9a-f]{64})?$/.test(text)) return text;
  throw new PlatformError('bad_request', `Cannot use "${text}" as the stack image`, {
    hint: 'It is the name of a container image, such as heroku/heroku:24',
  });
}

function parseLogLevel(text: string): string {
  if (['trace', 'debug', 'info', 'warn', 'error', 'silent'].includes(text)) return text;
  throw new PlatformError('bad_request', `Cannot use the log level "${text}"`, {
    hint: 'Use trace, debug, info, warn, error or silent',
  });
}
