import type { PipelineResource } from '../../src/platform/pipeline.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  async run({ api, screen }) {
    const pipelines = await api.get<readonly PipelineResource[]>('/pipelines');
    if (screen.isJson) return screen.json(pipelines);
    if (pipelines.length === 0)
      return screen.line('No pipelines yet. Make one with `kith pipelines:create`.');
    screen.table(
      ['PIPELINE', 'OWNER'],
      pipelines.map(({ name, owner }) => [name, owner.email]),
    );
  },
});
