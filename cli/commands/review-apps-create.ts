import type { ReviewAppResource } from '../../src/platform/app-setup.ts';
import { CliError, UsageError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { git } from '../lib/deploy/git.ts';
import { PIPELINE_FLAG, mustPipelineFlag } from '../lib/pipelines.ts';
import { parsePairs } from '../lib/config-vars.ts';
import { SETUP_ARGS, SETUP_FLAGS, followSetup, sourcesAt } from '../lib/setups.ts';
import { uploadSource } from '../lib/deploy/upload-source.ts';

export default defineCommand({
  args: SETUP_ARGS,
  flags: {
    pipeline: PIPELINE_FLAG,
    branch: {
      kind: 'string',
      short: 'b',
      value: 'BRANCH',
      summary: 'what it is for (the branch that is checked out)',
    },
    pr: { kind: 'string', value: 'NUMBER', summary: 'pull request that it is for: `shop-pr-12`' },
    ...SETUP_FLAGS,
  },
  details: 'Makes an app from the sources and the review part of their app.json, at the stage review.',
  examples: ['kith review-apps:create -p shop --branch fix-login'],
  async run(context) {
    const { api, screen, args, flags, world } = context;
    const pipeline = mustPipelineFlag(flags.pipeline);
    const at = sourcesAt(world, args.dir);
    const branch = flags.branch ?? (await git(at, 'rev-parse', '--abbrev-ref', 'HEAD'));
    if (branch === null) throw new UsageError('No branch was named', 'Name one with --branch');
    const prNumber = flags.pr === undefined ? null : Number(flags.pr);
    if (prNumber !== null && !Number.isInteger(prNumber)) throw new CliError(`"${flags.pr}" is no number`);
    const version = flags.version ?? (await git(at, 'rev-parse', 'HEAD'));
    const url = await uploadSource(context, args.dir ?? '.');
    const made = await screen.progress(`Creating a review app of ${branch}`, () =>
      api.post<ReviewAppResource>('/review-apps', {
        branch,
        pipeline,
        source_blob: { url, version },
        environment: parsePairs(flags.env, 'Write it like --env MODE=demo'),
        pr_number: prNumber,
      }),
    );
    const setup = await followSetup(context, made.app_setup.id);
    if (screen.isJson) return screen.json(setup);
    screen.line(`⬢ ${setup.app.name} ${screen.paint.cyan(setup.resolved_success_url ?? '')}`);
  },
});
