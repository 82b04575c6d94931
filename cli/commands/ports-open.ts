import { PlatformError } from '../../src/errors.ts';
import type { PortResource } from '../../src/platform/port.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: { type: { is: 'required', summary: 'a process type, as in the Procfile' } },
  flags: { number: { kind: 'string', value: 'PORT', summary: '61001 to 64999; by itself one that is free' } },
  details:
    'Its dynos are given $PORT, are restarted for that, and are up once they listen there. Whoever connects to the address that is printed, in a dyno of any app on any machine, is connected to one of them. Every dyno of the cluster may: have it ask for a password.',
  examples: ['kith ports:open postgres -a db', 'kith ports:open postgres -a db --number 61432'],
  async run(context) {
    const { api, screen, args, flags } = context;
    const app = await context.app();
    const { type } = args;
    const number = flags.number === undefined ? null : parseNumber(flags.number);
    const path = `/kith${await context.appPath('/ports')}`;
    const port = await screen.progress(
      `Opening ${screen.paintErr.cyan(type)} of ${screen.app(app)} to all dynos`,
      () => api.post<PortResource>(path, { type, number }),
    );
    if (screen.isJson) return screen.json(port);
    screen.line(`${type} is reached at ${screen.paint.cyan(port.address)}`);
    screen.note('Have it listen on $PORT, and ask whoever connects for a password.');
  },
});

function parseNumber(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new PlatformError('invalid_params', `"${text}" is no port number`, {
    hint: 'Use one from 61001 to 64999, or leave it out',
  });
}
