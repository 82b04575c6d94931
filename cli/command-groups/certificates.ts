import { entry, type CommandGroup } from './entry.ts';

export const certificates: CommandGroup = {
  title: 'Certificates',
  commands: {
    certs: entry('list the TLS certificates of an app', () => import('../commands/certs.ts')),
    'certs:add': entry('serve an app with a certificate', () => import('../commands/certs-add.ts')),
    'certs:info': entry('show a certificate', () => import('../commands/certs-info.ts')),
    'certs:update': entry(
      'put another certificate in the place of one',
      () => import('../commands/certs-update.ts'),
    ),
    'certs:remove': entry('remove a certificate', () => import('../commands/certs-remove.ts')),
    'certs:auto': entry(
      'show how it stands with automatic certificates',
      () => import('../commands/certs-auto.ts'),
    ),
    'certs:auto:enable': entry(
      'order certificates for the domains of an app',
      () => import('../commands/certs-auto-enable.ts'),
    ),
    'certs:auto:disable': entry(
      'order certificates for an app no more',
      () => import('../commands/certs-auto-disable.ts'),
    ),
    'certs:auto:refresh': entry(
      'order at once what failed',
      () => import('../commands/certs-auto-refresh.ts'),
    ),
    acme: entry('show where the cluster orders certificates', () => import('../commands/acme.ts')),
    'acme:set': entry(
      'say where to order certificates, and as whom',
      () => import('../commands/acme-set.ts'),
    ),
  },
};
