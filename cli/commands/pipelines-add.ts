import type { CouplingResource } from '../../src/platform/pipeline.ts';
import { defineCommand } from '../lib/line/command.ts';
import { STAGE_FLAG, stageFor } from '../lib/pipelines.ts';

export default defineCommand({
  ofApp: true,
  args: { pipeline: { is: 'required', summary: 'name or id' } },
  flags: { stage: STAGE_FLAG },
  details: 'The stage is guessed from the name of the app where none is given.',
  examples: ['kith pipelines:add blog -a blog --stage production'],
  async run(context) {
    const { api, screen, args, flags } = context;
    const app = await context.app();
    const stage = stageFor(flags.stage, app);
    const made = await screen.progress(`Adding ${screen.app(app)} to ${args.pipeline} as ${stage}`, () =>
      api.post<CouplingResource>('/pipeline-couplings', { app, pipeline: args.pipeline, stage }),
    );
    if (screen.isJson) screen.json(made);
  },
});
