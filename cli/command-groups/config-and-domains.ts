import { entry, type CommandGroup } from './entry.ts';

export const configAndDomains: CommandGroup = {
  title: 'Config and domains',
  commands: {
    config: entry('show config vars', () => import('../commands/config.ts')),
    'config:get': entry('show one config var', () => import('../commands/config-get.ts')),
    'config:set': entry('set config vars', () => import('../commands/config-set.ts')),
    'config:unset': entry('remove config vars', () => import('../commands/config-unset.ts')),
    domains: entry('list domains', () => import('../commands/domains.ts')),
    'domains:add': entry('serve an app under a domain', () => import('../commands/domains-add.ts')),
    'domains:remove': entry(
      'serve an app under a domain no more',
      () => import('../commands/domains-remove.ts'),
    ),
    'domains:info': entry('show a domain', () => import('../commands/domains-info.ts')),
    'domains:update': entry(
      'choose the certificate that a domain is served with',
      () => import('../commands/domains-update.ts'),
    ),
    'domains:clear': entry('remove all domains of an app', () => import('../commands/domains-clear.ts')),
    'domains:wait': entry('wait until domains are served', () => import('../commands/domains-wait.ts')),
  },
};
