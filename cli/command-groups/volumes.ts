import { entry, type CommandGroup } from './entry.ts';

export const volumes: CommandGroup = {
  title: 'Volumes',
  commands: {
    volumes: entry('list volumes', () => import('../commands/volumes.ts')),
    'volumes:create': entry('make a volume on a machine', () => import('../commands/volumes-create.ts')),
    'volumes:info': entry('show a volume', () => import('../commands/volumes-info.ts')),
    'volumes:mount': entry(
      'have the dynos of a process type see a volume',
      () => import('../commands/volumes-mount.ts'),
    ),
    'volumes:unmount': entry(
      'have no dyno see a volume any more',
      () => import('../commands/volumes-unmount.ts'),
    ),
    'volumes:move': entry('move a volume to another machine', () => import('../commands/volumes-move.ts')),
    'volumes:backup': entry(
      'copy a volume to a file here, or to another machine',
      () => import('../commands/volumes-backup.ts'),
    ),
    'volumes:backups': entry(
      'list the backups that machines keep',
      () => import('../commands/volumes-backups.ts'),
    ),
    'volumes:backups:destroy': entry(
      'give up a backup that a machine keeps',
      () => import('../commands/volumes-backups-destroy.ts'),
    ),
    'volumes:restore': entry(
      'replace what is in a volume by a backup',
      () => import('../commands/volumes-restore.ts'),
    ),
    'volumes:destroy': entry('destroy a volume', () => import('../commands/volumes-destroy.ts')),
  },
};
