import type { ReviewAppResource } from '../../src/platform/app-setup.ts';
import { defineCommand } from '../lib/line/command.ts';
import { PIPELINE_FLAG, mustPipelineFlag, pipelinePath } from '../lib/pipelines.ts';
import { formatMoment } from '../lib/print/time.ts';

export default defineCommand({
  flags: { pipeline: PIPELINE_FLAG },
  async run({ api, screen, flags, world }) {
    const path = pipelinePath(mustPipelineFlag(flags.pipeline), '/review-apps');
    const found = await api.get<readonly ReviewAppResource[]>(path);
    if (screen.isJson) return screen.json(found);
    if (found.length === 0)
      return screen.line('No review apps yet. Make one with `kith review-apps:create`.');
    screen.table(
      ['APP', 'BRANCH', 'STATUS', 'CREATED'],
      found.map(({ app, branch, status, created_at }) => [
        app?.name ?? '',
        branch,
        status,
        formatMoment(created_at, world.now()),
      ]),
    );
  },
});
