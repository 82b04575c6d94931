import { entry, type CommandGroup } from './entry.ts';

export const deploy: CommandGroup = {
  title: 'Deploy',
  commands: {
    'git:remote': entry('add the git remote that deploys an app', () => import('../commands/git-remote.ts')),
    builds: entry('list builds', () => import('../commands/builds.ts')),
    'builds:create': entry(
      'build and release a folder or an archive',
      () => import('../commands/builds-create.ts'),
    ),
    'builds:output': entry('show what a build said', () => import('../commands/builds-output.ts')),
    'builds:cancel': entry('break a build off', () => import('../commands/builds-cancel.ts')),
    'builds:purge-cache': entry(
      'forget what builds keep for the next',
      () => import('../commands/builds-purge-cache.ts'),
    ),
    buildpacks: entry('list the buildpacks of an app', () => import('../commands/buildpacks.ts')),
    'buildpacks:set': entry('use one buildpack', () => import('../commands/buildpacks-set.ts')),
    'buildpacks:add': entry('use one buildpack more', () => import('../commands/buildpacks-add.ts')),
    'buildpacks:remove': entry('use a buildpack no more', () => import('../commands/buildpacks-remove.ts')),
    'buildpacks:clear': entry(
      'let the buildpack be detected',
      () => import('../commands/buildpacks-clear.ts'),
    ),
  },
};
