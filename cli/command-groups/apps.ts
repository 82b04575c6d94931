import { entry, type CommandGroup } from './entry.ts';

export const apps: CommandGroup = {
  title: 'Apps',
  commands: {
    apps: entry('list apps', () => import('../commands/apps.ts')),
    'apps:create': entry('create an app', () => import('../commands/apps-create.ts')),
    'apps:setup': entry(
      'make an app with all that its app.json asks for',
      () => import('../commands/apps-setup.ts'),
    ),
    'apps:info': entry('show an app', () => import('../commands/apps-info.ts')),
    'apps:open': entry("print an app's URL", () => import('../commands/apps-open.ts')),
    'apps:rename': entry('give an app another name', () => import('../commands/apps-rename.ts')),
    'apps:transfer': entry('give an app to another owner', () => import('../commands/apps-transfer.ts')),
    'apps:destroy': entry('destroy an app for ever', () => import('../commands/apps-destroy.ts')),
    maintenance: entry('show whether maintenance mode is on', () => import('../commands/maintenance.ts')),
    'maintenance:on': entry(
      'answer every request with a maintenance page',
      () => import('../commands/maintenance-on.ts'),
    ),
    'maintenance:off': entry('serve requests again', () => import('../commands/maintenance-off.ts')),
    features: entry('list what can be switched on for an app', () => import('../commands/features.ts')),
    'features:enable': entry('switch a feature on', () => import('../commands/features-enable.ts')),
    'features:disable': entry('switch a feature off', () => import('../commands/features-disable.ts')),
  },
};
