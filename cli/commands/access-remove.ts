import type { CollaboratorResource } from '../../src/platform/collaborator.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: { user: { is: 'required', summary: 'e-mail address' } },
  async run(context) {
    const { api, screen, args } = context;
    const path = await context.appPath(`/collaborators/${encodeURIComponent(args.user)}`);
    const removed = await screen.progress(
      `Removing ${screen.paintErr.green(args.user)} from ${screen.app(await context.app())}`,
      () => api.delete<CollaboratorResource>(path),
    );
    if (screen.isJson) screen.json(removed);
  },
});
