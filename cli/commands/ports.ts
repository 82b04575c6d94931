import type { PortResource } from '../../src/platform/port.ts';
import { defineCommand } from '../lib/line/command.ts';
import { APP_FLAGS } from '../lib/line/specs.ts';

export default defineCommand({
  flags: { ...APP_FLAGS, all: { kind: 'boolean', short: 'A', summary: 'those of all apps' } },
  details:
    'Internal ports: whoever connects to such an address, in a dyno of any app on any machine, is connected to one of the dynos of that process type.',
  async run(context) {
    const { api, screen, flags } = context;
    const path = flags.all ? '/kith/ports' : `/kith${await context.appPath('/ports')}`;
    const ports = await api.get<readonly PortResource[]>(path);
    if (screen.isJson) return screen.json(ports);
    if (ports.length === 0) {
      return screen.line(
        flags.all ? 'No open process types' : `No open process types on ${screen.app(await context.app())}`,
      );
    }
    screen.table(
      ['APP', 'TYPE', 'ADDRESS', 'DYNOS UP'],
      ports.map(({ app, type, address, dynos }) => [
        screen.paint.cyan(app.name),
        type,
        address,
        `${dynos.up} of ${dynos.wanted}`,
      ]),
    );
  },
});
