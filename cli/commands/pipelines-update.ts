import type { CouplingResource } from '../../src/platform/pipeline.ts';
import { UsageError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { STAGE_FLAG, couplingOf, stageFor } from '../lib/pipelines.ts';

export default defineCommand({
  ofApp: true,
  flags: { stage: STAGE_FLAG },
  examples: ['kith pipelines:update -a blog --stage production'],
  async run(context) {
    const { api, screen, flags } = context;
    if (flags.stage === undefined) throw new UsageError('No stage was named', 'Name one with --stage');
    const app = await context.app();
    const stage = stageFor(flags.stage, app);
    const { id } = await couplingOf(api, app);
    const made = await screen.progress(`Changing ${screen.app(app)} to ${stage}`, () =>
      api.patch<CouplingResource>(`/pipeline-couplings/${id}`, { stage }),
    );
    if (screen.isJson) screen.json(made);
  },
});
