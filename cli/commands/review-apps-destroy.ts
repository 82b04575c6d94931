import type { ReviewAppResource } from '../../src/platform/app-setup.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  async run(context) {
    const { api, screen } = context;
    const app = await context.app();
    const { id } = await api.get<ReviewAppResource>(await context.appPath('/review-app'));
    const gone = await screen.progress(`Destroying the review app ${screen.app(app)}`, () =>
      api.delete<ReviewAppResource>(`/review-apps/${id}`),
    );
    if (screen.isJson) screen.json(gone);
  },
});
