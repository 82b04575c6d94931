import type { PipelineResource } from '../../src/platform/pipeline.ts';
import { defineCommand } from '../lib/line/command.ts';
import { pipelinePath } from '../lib/pipelines.ts';

export default defineCommand({
  args: { pipeline: { is: 'required', summary: 'name or id' } },
  details: 'Its apps stay as they are.',
  async run({ api, screen, args }) {
    const gone = await screen.progress(`Destroying the pipeline ${args.pipeline}`, () =>
      api.delete<PipelineResource>(pipelinePath(args.pipeline)),
    );
    if (screen.isJson) screen.json(gone);
  },
});
