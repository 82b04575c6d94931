import type { Command } from './lib/line/command.ts';

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
      'apps:setup': entry(
        'make an app with all that its app.json asks for',
        () => import('./commands/apps-setup.ts'),
      ),
      'apps:info': entry('show an app', () => import('./commands/apps-info.ts')),
      'apps:open': entry("print an app's URL", () => import('./commands/apps-open.ts')),
      'apps:rename': entry('give an app another name', () => import('./commands/apps-rename.ts')),
      'apps:transfer': entry('give an app to another owner', () => import('./commands/apps-transfer.ts')),
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
      'builds:cancel': entry('break a build off', () => import('./commands/builds-cancel.ts')),
      'builds:purge-cache': entry(
        'forget what builds keep for the next',
        () => import('./commands/builds-purge-cache.ts'),
      ),
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
    title: 'Pipelines',
    commands: {
      pipelines: entry('list pipelines', () => import('./commands/pipelines.ts')),
      'pipelines:create': entry('make a pipeline of an app', () => import('./commands/pipelines-create.ts')),
      'pipelines:info': entry('list the apps of a pipeline', () => import('./commands/pipelines-info.ts')),
      'pipelines:add': entry('add an app to a pipeline', () => import('./commands/pipelines-add.ts')),
      'pipelines:update': entry(
        'move an app to another stage',
        () => import('./commands/pipelines-update.ts'),
      ),
      'pipelines:remove': entry(
        'take an app out of its pipeline',
        () => import('./commands/pipelines-remove.ts'),
      ),
      'pipelines:promote': entry(
        'release what an app runs at the next stage',
        () => import('./commands/pipelines-promote.ts'),
      ),
      'pipelines:diff': entry(
        'compare what an app runs with the next stage',
        () => import('./commands/pipelines-diff.ts'),
      ),
      'pipelines:open': entry(
        'print the URLs of the apps of a pipeline',
        () => import('./commands/pipelines-open.ts'),
      ),
      'pipelines:rename': entry(
        'give a pipeline another name',
        () => import('./commands/pipelines-rename.ts'),
      ),
      'pipelines:transfer': entry(
        'give a pipeline to another owner',
        () => import('./commands/pipelines-transfer.ts'),
      ),
      'pipelines:destroy': entry('remove a pipeline', () => import('./commands/pipelines-destroy.ts')),
      'review-apps': entry('list the review apps of a pipeline', () => import('./commands/review-apps.ts')),
      'review-apps:enable': entry(
        'allow review apps in a pipeline',
        () => import('./commands/review-apps-enable.ts'),
      ),
      'review-apps:disable': entry(
        'allow no more review apps',
        () => import('./commands/review-apps-disable.ts'),
      ),
      'review-apps:create': entry(
        'make a review app of a folder',
        () => import('./commands/review-apps-create.ts'),
      ),
      'review-apps:destroy': entry('destroy a review app', () => import('./commands/review-apps-destroy.ts')),
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
      'domains:info': entry('show a domain', () => import('./commands/domains-info.ts')),
      'domains:update': entry(
        'choose the certificate that a domain is served with',
        () => import('./commands/domains-update.ts'),
      ),
      'domains:clear': entry('remove all domains of an app', () => import('./commands/domains-clear.ts')),
      'domains:wait': entry('wait until domains are served', () => import('./commands/domains-wait.ts')),
    },
  },
  {
    title: 'Certificates',
    commands: {
      certs: entry('list the TLS certificates of an app', () => import('./commands/certs.ts')),
      'certs:add': entry('serve an app with a certificate', () => import('./commands/certs-add.ts')),
      'certs:info': entry('show a certificate', () => import('./commands/certs-info.ts')),
      'certs:update': entry(
        'put another certificate in the place of one',
        () => import('./commands/certs-update.ts'),
      ),
      'certs:remove': entry('remove a certificate', () => import('./commands/certs-remove.ts')),
      'certs:auto': entry(
        'show how it stands with automatic certificates',
        () => import('./commands/certs-auto.ts'),
      ),
      'certs:auto:enable': entry(
        'order certificates for the domains of an app',
        () => import('./commands/certs-auto-enable.ts'),
      ),
      'certs:auto:disable': entry(
        'order certificates for an app no more',
        () => import('./commands/certs-auto-disable.ts'),
      ),
      'certs:auto:refresh': entry(
        'order at once what failed',
        () => import('./commands/certs-auto-refresh.ts'),
      ),
      acme: entry('show where the cluster orders certificates', () => import('./commands/acme.ts')),
      'acme:set': entry(
        'say where to order certificates, and as whom',
        () => import('./commands/acme-set.ts'),
      ),
    },
  },
  {
    title: 'Add-ons',
    commands: {
      addons: entry('list add-ons', () => import('./commands/addons.ts')),
      'addons:create': entry('create an add-on', () => import('./commands/addons-create.ts')),
      'addons:info': entry('show an add-on', () => import('./commands/addons-info.ts')),
      'addons:attach': entry(
        'give an app an add-on that exists',
        () => import('./commands/addons-attach.ts'),
      ),
      'addons:detach': entry('take an add-on from an app', () => import('./commands/addons-detach.ts')),
      'addons:upgrade': entry('give an add-on another plan', () => import('./commands/addons-upgrade.ts')),
      'addons:rename': entry('give an add-on another name', () => import('./commands/addons-rename.ts')),
      'addons:open': entry(
        "print the link to an add-on's own page",
        () => import('./commands/addons-open.ts'),
      ),
      'addons:wait': entry('wait until an add-on is provisioned', () => import('./commands/addons-wait.ts')),
      'addons:destroy': entry('destroy an add-on', () => import('./commands/addons-destroy.ts')),
      'addons:services': entry('list what can be added', () => import('./commands/addons-services.ts')),
      'addons:plans': entry('list the plans of a service', () => import('./commands/addons-plans.ts')),
      'pg:info': entry('show a PostgreSQL add-on', () => import('./commands/pg-info.ts')),
      'pg:psql': entry('open `psql` on a PostgreSQL add-on', () => import('./commands/pg-psql.ts')),
      'pg:credentials:rotate': entry(
        'give a PostgreSQL add-on new credentials',
        () => import('./commands/pg-credentials-rotate.ts'),
      ),
      'pg:backups:download': entry(
        'dump a PostgreSQL add-on into a file',
        () => import('./commands/pg-backups-download.ts'),
      ),
      'pg:backups:restore': entry(
        'replace a PostgreSQL add-on by a dump',
        () => import('./commands/pg-backups-restore.ts'),
      ),
      'redis:info': entry('show a Redis add-on', () => import('./commands/redis-info.ts')),
      'redis:cli': entry('open `redis-cli` on a Redis add-on', () => import('./commands/redis-cli.ts')),
      'redis:credentials:rotate': entry(
        'give a Redis add-on new credentials',
        () => import('./commands/redis-credentials-rotate.ts'),
      ),
      providers: entry('list who makes add-ons', () => import('./commands/providers.ts')),
      'providers:add': entry('register an add-on provider', () => import('./commands/providers-add.ts')),
      'providers:run': entry(
        'run the server of a built-in provider',
        () => import('./commands/providers-run.ts'),
      ),
      'providers:set': entry(
        'change settings of a built-in provider',
        () => import('./commands/providers-set.ts'),
      ),
      'providers:remove': entry('remove an add-on provider', () => import('./commands/providers-remove.ts')),
    },
  },
  {
    title: 'Log drains',
    commands: {
      drains: entry("list where an app's log is sent", () => import('./commands/drains.ts')),
      'drains:add': entry("send an app's log somewhere", () => import('./commands/drains-add.ts')),
      'drains:remove': entry(
        "send an app's log somewhere no more",
        () => import('./commands/drains-remove.ts'),
      ),
    },
  },
  {
    title: 'Internal ports',
    commands: {
      ports: entry('list process types that all dynos reach over TCP', () => import('./commands/ports.ts')),
      'ports:open': entry(
        'have all dynos reach a process type over TCP',
        () => import('./commands/ports-open.ts'),
      ),
      'ports:close': entry(
        'have no dyno reach a process type any more',
        () => import('./commands/ports-close.ts'),
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
      'volumes:backup': entry(
        'copy a volume to a file here, or to another machine',
        () => import('./commands/volumes-backup.ts'),
      ),
      'volumes:backups': entry(
        'list the backups that machines keep',
        () => import('./commands/volumes-backups.ts'),
      ),
      'volumes:backups:destroy': entry(
        'give up a backup that a machine keeps',
        () => import('./commands/volumes-backups-destroy.ts'),
      ),
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
      'auth:token': entry('print the token that is used', () => import('./commands/auth-token.ts')),
      access: entry('list who may do what with an app', () => import('./commands/access.ts')),
      'access:add': entry('let a user in to an app', () => import('./commands/access-add.ts')),
      'access:update': entry(
        'say what a user may do with an app',
        () => import('./commands/access-update.ts'),
      ),
      'access:remove': entry('shut a user out of an app', () => import('./commands/access-remove.ts')),
      members: entry('list users and their roles', () => import('./commands/members.ts')),
      'members:add': entry('give a user a role', () => import('./commands/members-add.ts')),
      'members:set': entry('give a user another role', () => import('./commands/members-set.ts')),
      'members:remove': entry('take all rights from a user', () => import('./commands/members-remove.ts')),
      authorizations: entry('list your own tokens', () => import('./commands/authorizations.ts')),
      'authorizations:create': entry(
        'make a token for yourself',
        () => import('./commands/authorizations-create.ts'),
      ),
      'authorizations:info': entry(
        'show a token of yours',
        () => import('./commands/authorizations-info.ts'),
      ),
      'authorizations:update': entry(
        'say what a token of yours is for',
        () => import('./commands/authorizations-update.ts'),
      ),
      'authorizations:rotate': entry(
        'put another token in the place of yours',
        () => import('./commands/authorizations-rotate.ts'),
      ),
      'authorizations:revoke': entry(
        'make a token of yours worthless',
        () => import('./commands/authorizations-revoke.ts'),
      ),
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
      heroku: entry('run the official Heroku CLI against a peer', () => import('./commands/heroku.ts')),
      help: entry('show all commands, or one', () => import('./commands/help.ts')),
      completion: entry('print a completion script for a shell', () => import('./commands/completion.ts')),
      version: entry('show the version', () => import('./commands/version.ts')),
    },
  },
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
