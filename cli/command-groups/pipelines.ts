import { entry, type CommandGroup } from './entry.ts';

export const pipelines: CommandGroup = {
  title: 'Pipelines',
  commands: {
    pipelines: entry('list pipelines', () => import('../commands/pipelines.ts')),
    'pipelines:create': entry('make a pipeline of an app', () => import('../commands/pipelines-create.ts')),
    'pipelines:info': entry('list the apps of a pipeline', () => import('../commands/pipelines-info.ts')),
    'pipelines:add': entry('add an app to a pipeline', () => import('../commands/pipelines-add.ts')),
    'pipelines:update': entry(
      'move an app to another stage',
      () => import('../commands/pipelines-update.ts'),
    ),
    'pipelines:remove': entry(
      'take an app out of its pipeline',
      () => import('../commands/pipelines-remove.ts'),
    ),
    'pipelines:promote': entry(
      'release what an app runs at the next stage',
      () => import('../commands/pipelines-promote.ts'),
    ),
    'pipelines:diff': entry(
      'compare what an app runs with the next stage',
      () => import('../commands/pipelines-diff.ts'),
    ),
    'pipelines:open': entry(
      'print the URLs of the apps of a pipeline',
      () => import('../commands/pipelines-open.ts'),
    ),
    'pipelines:rename': entry(
      'give a pipeline another name',
      () => import('../commands/pipelines-rename.ts'),
    ),
    'pipelines:transfer': entry(
      'give a pipeline to another owner',
      () => import('../commands/pipelines-transfer.ts'),
    ),
    'pipelines:destroy': entry('remove a pipeline', () => import('../commands/pipelines-destroy.ts')),
    'review-apps': entry('list the review apps of a pipeline', () => import('../commands/review-apps.ts')),
    'review-apps:enable': entry(
      'allow review apps in a pipeline',
      () => import('../commands/review-apps-enable.ts'),
    ),
    'review-apps:disable': entry(
      'allow no more review apps',
      () => import('../commands/review-apps-disable.ts'),
    ),
    'review-apps:create': entry(
      'make a review app of a folder',
      () => import('../commands/review-apps-create.ts'),
    ),
    'review-apps:destroy': entry('destroy a review app', () => import('../commands/review-apps-destroy.ts')),
  },
};
