import type { AttachmentResource } from '../../src/platform/addon.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: { attachment: { is: 'required', summary: 'what it is called in this app: CACHE' } },
  async run(context) {
    const { api, screen, args } = context;
    const path = await context.appPath(`/addon-attachments/${encodeURIComponent(args.attachment)}`);
    const { id, name, addon } = await api.get<AttachmentResource>(path);
    const detached = await screen.progress(
      `Detaching ${screen.paintErr.cyan(name)}, which is ${addon.name}, from ${screen.app(await context.app())}`,
      () => api.delete<AttachmentResource>(`/addon-attachments/${id}`),
    );
    if (screen.isJson) screen.json(detached);
  },
});
