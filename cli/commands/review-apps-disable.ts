import type { ReviewConfigResource } from '../../src/platform/review-app.ts';
import { defineCommand } from '../lib/line/command.ts';
import { PIPELINE_FLAG, mustPipelineFlag, pipelinePath } from '../lib/pipelines.ts';

export default defineCommand({
  flags: { pipeline: PIPELINE_FLAG },
  details: 'Those that there are stay.',
  async run({ api, screen, flags }) {
    const pipeline = mustPipelineFlag(flags.pipeline);
    const config = await screen.progress(`Disabling review apps of ${pipeline}`, () =>
      api.delete<ReviewConfigResource>(pipelinePath(pipeline, '/review-app-config')),
    );
    if (screen.isJson) screen.json(config);
  },
});
