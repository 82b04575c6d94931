import type { ReviewConfigResource } from '../../src/platform/review-app.ts';
import { UsageError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { PIPELINE_FLAG, mustPipelineFlag, pipelinePath } from '../lib/pipelines.ts';

export default defineCommand({
  flags: {
    pipeline: PIPELINE_FLAG,
    'stale-days': {
      kind: 'string',
      value: 'DAYS',
      summary: 'destroy those that nothing was released to for so long',
    },
    'base-name': { kind: 'string', value: 'NAME', summary: "what their names begin with (the pipeline's)" },
  },
  examples: ['kith review-apps:enable -p shop --stale-days 5'],
  async run({ api, screen, flags }) {
    const pipeline = mustPipelineFlag(flags.pipeline);
    const days = flags['stale-days'];
    if (days !== undefined && !/^[1-9]\d{0,2}$/.test(days))
      throw new UsageError(`"${days}" is no number of days`, 'Write it like --stale-days 5');
    const config = await screen.progress(`Enabling review apps of ${pipeline}`, () =>
      api.post<ReviewConfigResource>(pipelinePath(pipeline, '/review-app-config'), {
        ...(days === undefined ? {} : { destroy_stale_apps: true, stale_days: Number(days) }),
        ...(flags['base-name'] === undefined ? {} : { base_name: flags['base-name'] }),
      }),
    );
    if (screen.isJson) screen.json(config);
  },
});
