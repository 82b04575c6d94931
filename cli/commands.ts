import { access } from './command-groups/access.ts';
import { addons } from './command-groups/addons.ts';
import { apps } from './command-groups/apps.ts';
import { certificates } from './command-groups/certificates.ts';
import { configAndDomains } from './command-groups/config-and-domains.ts';
import { deploy } from './command-groups/deploy.ts';
import { dynos } from './command-groups/dynos.ts';
import type { CommandGroup, Listed } from './command-groups/entry.ts';
import { internalPorts } from './command-groups/internal-ports.ts';
import { logDrains } from './command-groups/log-drains.ts';
import { machines } from './command-groups/machines.ts';
import { pipelines } from './command-groups/pipelines.ts';
import { releases } from './command-groups/releases.ts';
import { thisProgram } from './command-groups/this-program.ts';
import { volumes } from './command-groups/volumes.ts';

export type CommandEntry = Listed & { readonly name: string };

/** All commands, in the order that `kith help` shows them. */
export const GROUPS: readonly CommandGroup[] = [
  apps,
  deploy,
  releases,
  pipelines,
  configAndDomains,
  certificates,
  addons,
  logDrains,
  internalPorts,
  volumes,
  dynos,
  machines,
  access,
  thisProgram,
];

/** Other names that people know from Heroku. */
const ALIASES: Readonly<Record<string, string>> = {
  'apps:list': 'apps',
  'authorizations:destroy': 'authorizations:revoke',
  'auth:login': 'login',
  'auth:logout': 'logout',
  commands: 'help',
  'config:add': 'config:set',
  'config:remove': 'config:unset',
  create: 'apps:create',
  destroy: 'apps:destroy',
  info: 'apps:info',
  list: 'apps',
  open: 'apps:open',
  'ps:kill': 'ps:stop',
  'releases:rollback': 'rollback',
  psql: 'pg:psql',
  rename: 'apps:rename',
  restart: 'ps:restart',
  scale: 'ps:scale',
  'dyno:restart': 'ps:restart',
  'dyno:scale': 'ps:scale',
  'dyno:stop': 'ps:stop',
  'dyno:type': 'ps:type',
  'dyno:resize': 'ps:type',
  labs: 'features',
  'labs:enable': 'features:enable',
  'labs:disable': 'features:disable',
  'ps:resize': 'ps:type',
  reviewapps: 'review-apps',
  'reviewapps:create': 'review-apps:create',
  'reviewapps:disable': 'review-apps:disable',
  'reviewapps:enable': 'review-apps:enable',
  status: 'doctor',
  whoami: 'auth:whoami',
};

/** The command of a name or an alias. */
export function findCommand(name: string): CommandEntry | null {
  const meant = ALIASES[name] ?? name;
  for (const { commands } of GROUPS) {
    const found = Object.hasOwn(commands, meant) ? commands[meant] : undefined;
    if (found !== undefined) return { name: meant, ...found };
  }
  return null;
}

export function summaryOf(name: string): string {
  return findCommand(name)?.summary ?? '';
}

/** All names without aliases. */
export function commandNames(): readonly string[] {
  return GROUPS.flatMap(({ commands }) => Object.keys(commands));
}
