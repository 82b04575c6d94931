import type { PipelineResource } from '../../src/platform/pipeline.ts';
import { defineCommand } from '../lib/line/command.ts';
import { pipelinePath } from '../lib/pipelines.ts';

export default defineCommand({
  args: { pipeline: { is: 'required', summary: 'name or id' }, name: { is: 'required' } },
  async run({ api, screen, args }) {
    const renamed = await screen.progress(`Renaming ${args.pipeline} to ${args.name}`, () =>
      api.patch<PipelineResource>(pipelinePath(args.pipeline), { name: args.name }),
    );
    if (screen.isJson) screen.json(renamed);
  },
});
