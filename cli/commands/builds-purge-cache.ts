import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  details: 'The next build begins with nothing, at whichever peer it runs.',
  async run(context) {
    const { api, screen } = context;
    const path = await context.appPath('/build-cache');
    const gone = await screen.progress(
      `Forgetting the build cache of ${screen.app(await context.app())}`,
      () => api.delete<{ readonly app: { readonly id: string } }>(path),
    );
    if (screen.isJson) screen.json(gone);
  },
});
