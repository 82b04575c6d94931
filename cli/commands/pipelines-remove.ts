import type { CouplingResource } from '../../src/platform/pipeline.ts';
import { defineCommand } from '../lib/line/command.ts';
import { couplingOf } from '../lib/pipelines.ts';

export default defineCommand({
  ofApp: true,
  async run(context) {
    const { api, screen } = context;
    const app = await context.app();
    const { id, pipeline } = await couplingOf(api, app);
    const gone = await screen.progress(`Removing ${screen.app(app)} from ${pipeline.name}`, () =>
      api.delete<CouplingResource>(`/pipeline-couplings/${id}`),
    );
    if (screen.isJson) screen.json(gone);
  },
});
