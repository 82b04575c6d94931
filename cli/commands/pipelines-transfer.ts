import { defineCommand } from '../lib/line/command.ts';
import { confirm } from '../lib/line/confirm.ts';
import { PIPELINE_FLAG, findPipeline, mustPipelineFlag } from '../lib/pipelines.ts';

export default defineCommand({
  args: { owner: { is: 'required', summary: 'e-mail address of the new owner' } },
  flags: {
    pipeline: PIPELINE_FLAG,
    confirm: { kind: 'string', short: 'c', value: 'NAME', summary: 'name of the pipeline, once more' },
  },
  details: 'Its apps stay with their owners: see `kith apps:transfer`.',
  async run({ api, screen, args, flags, world }) {
    const { id, name } = await findPipeline(api, mustPipelineFlag(flags.pipeline));
    await confirm(world, name, flags.confirm, `This gives the pipeline ${name} to ${args.owner}`);
    const done = await screen.progress(`Transferring ${name} to ${args.owner}`, () =>
      api.post('/pipeline-transfers', { pipeline: { id }, new_owner: { id: args.owner, type: 'user' } }),
    );
    if (screen.isJson) screen.json(done);
  },
});
