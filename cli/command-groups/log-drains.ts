import { entry, type CommandGroup } from './entry.ts';

export const logDrains: CommandGroup = {
  title: 'Log drains',
  commands: {
    drains: entry("list where an app's log is sent", () => import('../commands/drains.ts')),
    'drains:add': entry("send an app's log somewhere", () => import('../commands/drains-add.ts')),
    'drains:remove': entry(
      "send an app's log somewhere no more",
      () => import('../commands/drains-remove.ts'),
    ),
  },
};
