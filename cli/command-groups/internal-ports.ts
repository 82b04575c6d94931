import { entry, type CommandGroup } from './entry.ts';

export const internalPorts: CommandGroup = {
  title: 'Internal ports',
  commands: {
    ports: entry('list process types that all dynos reach over TCP', () => import('../commands/ports.ts')),
    'ports:open': entry(
      'have all dynos reach a process type over TCP',
      () => import('../commands/ports-open.ts'),
    ),
    'ports:close': entry(
      'have no dyno reach a process type any more',
      () => import('../commands/ports-close.ts'),
    ),
  },
};
