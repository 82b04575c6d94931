import { entry, type CommandGroup } from './entry.ts';

export const releases: CommandGroup = {
  title: 'Releases',
  commands: {
    releases: entry('list releases', () => import('../commands/releases.ts')),
    'releases:info': entry('show a release', () => import('../commands/releases-info.ts')),
    'releases:verify': entry(
      'check every hash and signature back to v1',
      () => import('../commands/releases-verify.ts'),
    ),
    'releases:output': entry(
      'show what a release command wrote',
      () => import('../commands/releases-output.ts'),
    ),
    'releases:retry': entry(
      'release the code of a failed release again',
      () => import('../commands/releases-retry.ts'),
    ),
    rollback: entry('release an earlier state again', () => import('../commands/rollback.ts')),
  },
};
