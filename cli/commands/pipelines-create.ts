import type { PipelineResource } from '../../src/platform/pipeline.ts';
import { defineCommand } from '../lib/line/command.ts';
import { STAGE_FLAG, stageFor } from '../lib/pipelines.ts';

export default defineCommand({
  ofApp: true,
  args: { name: { is: 'optional', summary: "name of the pipeline; the app's, without its stage" } },
  flags: { stage: { ...STAGE_FLAG, summary: `stage of the app, ${STAGE_FLAG.summary}` } },
  details: 'An app is its first; the stage is guessed from its name where none is given.',
  examples: ['kith pipelines:create blog -a blog-staging --stage staging'],
  async run(context) {
    const { api, screen, args, flags } = context;
    const app = await context.app();
    const stage = stageFor(flags.stage, app);
    const name =
      args.name ?? app.replace(/-(staging|stage|stg|production|prod|prd|development|devel|dev)$/, '');
    const pipeline = await screen.progress(`Creating the pipeline ${name}`, () =>
      api.post<PipelineResource>('/pipelines', { name }),
    );
    await screen.progress(`Adding ${screen.app(app)} as ${stage}`, () =>
      api.post('/pipeline-couplings', { app, pipeline: pipeline.id, stage }),
    );
    if (screen.isJson) screen.json(pipeline);
  },
});
