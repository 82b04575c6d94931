import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: { user: { is: 'required', summary: 'e-mail address of who shall own it' } },
  details: 'Who owned it stays a collaborator: `kith access:remove` ends that.',
  examples: ['kith apps:transfer ada@example.com --app blog'],
  async run(context) {
    const { api, screen, args } = context;
    const app = await context.app();
    const transfer = await screen.progress(
      `Transferring ${screen.app(app)} to ${screen.paintErr.green(args.user)}`,
      () => api.post<object>('/account/app-transfers', { app, recipient: args.user }),
    );
    if (screen.isJson) screen.json(transfer);
  },
});
