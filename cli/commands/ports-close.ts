import type { PortResource } from '../../src/platform/port.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: { type: { is: 'required', summary: 'a process type that is open' } },
  details:
    'Nobody connects to it any more, and its dynos are restarted without $PORT. Opened again, it has its number again if that is free.',
  examples: ['kith ports:close postgres -a db'],
  async run(context) {
    const { api, screen, args } = context;
    const app = await context.app();
    const path = `/kith${await context.appPath(`/ports/${encodeURIComponent(args.type)}`)}`;
    const port = await screen.progress(
      `Closing ${screen.paintErr.cyan(args.type)} of ${screen.app(app)}`,
      () => api.delete<PortResource>(path),
    );
    if (screen.isJson) return screen.json(port);
    screen.line(`${port.address} is closed`);
  },
});
