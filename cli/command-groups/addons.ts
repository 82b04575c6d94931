import { entry, type CommandGroup } from './entry.ts';

export const addons: CommandGroup = {
  title: 'Add-ons',
  commands: {
    addons: entry('list add-ons', () => import('../commands/addons.ts')),
    'addons:create': entry('create an add-on', () => import('../commands/addons-create.ts')),
    'addons:info': entry('show an add-on', () => import('../commands/addons-info.ts')),
    'addons:attach': entry('give an app an add-on that exists', () => import('../commands/addons-attach.ts')),
    'addons:detach': entry('take an add-on from an app', () => import('../commands/addons-detach.ts')),
    'addons:upgrade': entry('give an add-on another plan', () => import('../commands/addons-upgrade.ts')),
    'addons:rename': entry('give an add-on another name', () => import('../commands/addons-rename.ts')),
    'addons:open': entry(
      "print the link to an add-on's own page",
      () => import('../commands/addons-open.ts'),
    ),
    'addons:wait': entry('wait until an add-on is provisioned', () => import('../commands/addons-wait.ts')),
    'addons:destroy': entry('destroy an add-on', () => import('../commands/addons-destroy.ts')),
    'addons:services': entry('list what can be added', () => import('../commands/addons-services.ts')),
    'addons:plans': entry('list the plans of a service', () => import('../commands/addons-plans.ts')),
    'pg:info': entry('show a PostgreSQL add-on', () => import('../commands/pg-info.ts')),
    'pg:psql': entry('open `psql` on a PostgreSQL add-on', () => import('../commands/pg-psql.ts')),
    'pg:credentials:rotate': entry(
      'give a PostgreSQL add-on new credentials',
      () => import('../commands/pg-credentials-rotate.ts'),
    ),
    'pg:backups:download': entry(
      'dump a PostgreSQL add-on into a file',
      () => import('../commands/pg-backups-download.ts'),
    ),
    'pg:backups:restore': entry(
      'replace a PostgreSQL add-on by a dump',
      () => import('../commands/pg-backups-restore.ts'),
    ),
    'redis:info': entry('show a Redis add-on', () => import('../commands/redis-info.ts')),
    'redis:cli': entry('open `redis-cli` on a Redis add-on', () => import('../commands/redis-cli.ts')),
    'redis:credentials:rotate': entry(
      'give a Redis add-on new credentials',
      () => import('../commands/redis-credentials-rotate.ts'),
    ),
    providers: entry('list who makes add-ons', () => import('../commands/providers.ts')),
    'providers:add': entry('register an add-on provider', () => import('../commands/providers-add.ts')),
    'providers:run': entry(
      'run the server of a built-in provider',
      () => import('../commands/providers-run.ts'),
    ),
    'providers:set': entry(
      'change settings of a built-in provider',
      () => import('../commands/providers-set.ts'),
    ),
    'providers:remove': entry('remove an add-on provider', () => import('../commands/providers-remove.ts')),
  },
};
