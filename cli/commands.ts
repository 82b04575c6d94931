import type { Command } from './lib/command.ts';

export type CommandEntry = {
  readonly name: string;
  readonly summary: string;
  /** Commands are imported when they run: the CLI starts fast because it loads one of them. */
  readonly load: () => Promise<Command>;
};

type Listed = Omit<CommandEntry, 'name'>;

function entry(summary: string, load: () => Promise<{ default: Command }>): Listed {
  return { summary, load: async () => (await load()).default };
}

/** All commands, in the order that `kith help` shows them. */
export const GROUPS: readonly {
  readonly title: string;
  readonly commands: Readonly<Record<string, Listed>>;
}[] = [
  {
    title: 'Apps',
    commands: {
      apps: entry('list apps', () => import('./commands/apps.ts')),
      'apps:create': entry('create an app', () => import('./commands/apps-create.ts')),
      'apps:info': entry('show an app', () => import('./commands/apps-info.ts')),
      'apps:open': entry("print an app's URL", () => import('./commands/apps-open.ts')),
      'apps:rename': entry('give an app another name', () => import('./commands/apps-rename.ts')),
      'apps:destroy': entry('destroy an app for ever', () => import('./commands/apps-destroy.ts')),
      maintenance: entry('show whether maintenance mode is on', () => import('./commands/maintenance.ts')),
      'maintenance:on': entry(
        'answer every request with a maintenance page',
        () => import('./commands/maintenance-on.ts'),
      ),
      'maintenance:off': entry('serve requests again', () => import('./commands/maintenance-off.ts')),
      features: entry('list what can be switched on for an app', () => import('./commands/features.ts')),
      'features:enable': entry('switch a feature on', () => import('./commands/features-enable.ts')),
      'features:disable': entry('switch a feature off', () => import('./commands/features-disable.ts')),
    },
  },
  {
    title: 'Deploy',
    commands: {
      'git:remote': entry('add the git remote that deploys an app', () => import('./commands/git-remote.ts')),
      builds: entry('list builds', () => import('./commands/builds.ts')),
      'builds:create': entry(
        'build and release a folder or an archive',
        () => import('./commands/builds-create.ts'),
      ),
      'builds:output': entry('show what a build said', () => import('./commands/builds-output.ts')),
      buildpacks: entry('list the buildpacks of an app', () => import('./commands/buildpacks.ts')),
      'buildpacks:set': entry('use one buildpack', () => import('./commands/buildpacks-set.ts')),
      'buildpacks:add': entry('use one buildpack more', () => import('./commands/buildpacks-add.ts')),
      'buildpacks:remove': entry('use a buildpack no more', () => import('./commands/buildpacks-remove.ts')),
      'buildpacks:clear': entry(
        'let the buildpack be detected',
        () => import('./commands/buildpacks-clear.ts'),
      ),
    },
  },
  {
    title: 'Releases',
    commands: {
      releases: entry('list releases', () => import('./commands/releases.ts')),
      'releases:info': entry('show a release', () => import('./commands/releases-info.ts')),
      'releases:verify': entry(
        'check every hash and signature back to v1',
        () => import('./commands/releases-verify.ts'),
      ),
      'releases:output': entry(
        'show what a release command wrote',
        () => import('./commands/releases-output.ts'),
      ),
      'releases:retry': entry(
        'release the code of a failed release again',
        () => import('./commands/releases-retry.ts'),
      ),
      rollback: entry('release an earlier state again', () => import('./commands/rollback.ts')),
    },
  },
  {
    title: 'Config and domains',
    commands: {
      config: entry('show config vars', () => import('./commands/config.ts')),
      'config:get': entry('show one config var', () => import('./commands/config-get.ts')),
      'config:set': entry('set config vars', () => import('./commands/config-set.ts')),
      'config:unset': entry('remove config vars', () => import('./commands/config-unset.ts')),
      domains: entry('list domains', () => import('./commands/domains.ts')),
      'domains:add': entry('serve an app under a domain', () => import('./commands/domains-add.ts')),
      'domains:remove': entry(
        'serve an app under a domain no more',
        () => import('./commands/domains-remove.ts'),
      ),
    },
  },
  {
    title: 'Volumes',
    commands: {
      volumes: entry('list volumes', () => import('./commands/volumes.ts')),
      'volumes:create': entry('make a volume on a machine', () => import('./commands/volumes-create.ts')),
      'volumes:info': entry('show a volume', () => import('./commands/volumes-info.ts')),
      'volumes:mount': entry(
        'have the dynos of a process type see a volume',
        () => import('./commands/volumes-mount.ts'),
      ),
      'volumes:unmount': entry(
        'have no dyno see a volume any more',
        () => import('./commands/volumes-unmount.ts'),
      ),
      'volumes:move': entry('move a volume to another machine', () => import('./commands/volumes-move.ts')),
      'volumes:backup': entry('copy a volume to a file here', () => import('./commands/volumes-backup.ts')),
      'volumes:restore': entry(
        'replace what is in a volume by a backup',
        () => import('./commands/volumes-restore.ts'),
      ),
      'volumes:destroy': entry('destroy a volume', () => import('./commands/volumes-destroy.ts')),
    },
  },
  {
    title: 'Dynos',
    commands: {
      ps: entry('list dynos', () => import('./commands/ps.ts')),
      'ps:scale': entry('show or change how many dynos run', () => import('./commands/ps-scale.ts')),
      'ps:type': entry('show or change the size of dynos', () => import('./commands/ps-type.ts')),
      'ps:restart': entry('restart dynos', () => import('./commands/ps-restart.ts')),
      'ps:stop': entry('stop a dyno', () => import('./commands/ps-stop.ts')),
      'ps:wait': entry('wait until all dynos run the newest release', () => import('./commands/ps-wait.ts')),
      'ps:exec': entry('run a command inside a running dyno', () => import('./commands/ps-exec.ts')),
      'ps:copy': entry('copy a file or folder out of a running dyno', () => import('./commands/ps-copy.ts')),
      run: entry('run a command in a dyno of its own, attached', () => import('./commands/run.ts')),
      'run:detached': entry(
        'run a command in a dyno of its own, to the log',
        () => import('./commands/run-detached.ts'),
      ),
      logs: entry("show an app's log", () => import('./commands/logs.ts')),
    },
  },
  {
    title: 'Machines',
    commands: {
      agent: entry("run this machine's agent", () => import('./commands/agent.ts')),
      cluster: entry('show the cluster', () => import('./commands/cluster.ts')),
      invite: entry('print a token that lets a machine join', () => import('./commands/invite.ts')),
      join: entry('join the cluster of an invite token', () => import('./commands/join.ts')),
      peers: entry('list the machines of the cluster', () => import('./commands/peers.ts')),
      'peers:info': entry('show a machine', () => import('./commands/peers-info.ts')),
      'peers:drain': entry('move all dynos off a machine', () => import('./commands/peers-drain.ts')),
      'peers:collect': entry('free the disk of a machine', () => import('./commands/peers-collect.ts')),
      'peers:remove': entry('remove a machine for ever', () => import('./commands/peers-remove.ts')),
      stack: entry('show the stack image that containers run on', () => import('./commands/stack.ts')),
      'stack:import': entry('give the cluster a stack image', () => import('./commands/stack-import.ts')),
      doctor: entry('show what is wrong', () => import('./commands/doctor.ts')),
    },
  },
  {
    title: 'Access',
    commands: {
      login: entry('save a token for a peer', () => import('./commands/login.ts')),
      logout: entry('forget a saved token', () => import('./commands/logout.ts')),
      'auth:whoami': entry('show who you are to the cluster', () => import('./commands/auth-whoami.ts')),
      tokens: entry('list tokens', () => import('./commands/tokens.ts')),
      'tokens:create': entry('make a token for a user', () => import('./commands/tokens-create.ts')),
      'tokens:revoke': entry('make a token worthless', () => import('./commands/tokens-revoke.ts')),
      'git:credentials': entry(
        'answer git when it asks for a password',
        () => import('./commands/git-credentials.ts'),
      ),
    },
  },
  {
    title: 'This program',
    commands: {
      help: entry('show all commands, or one', () => import('./commands/help.ts')),
      completion: entry('print a completion script for a shell', () => import('./commands/completion.ts')),
      version: entry('show the version', () => import('./commands/version.ts')),
    },
  },
];

/** Other names that people know from Heroku. */
const ALIASES: Readonly<Record<string, string>> = {
  'apps:list': 'apps',
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
