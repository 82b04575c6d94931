import type { PromotionResource, PromotionTargetResource } from '../../src/platform/promotion.ts';
import type { ReleaseResource } from '../../src/platform/release.ts';
import { CliError } from '../lib/line/cli-error.ts';
import type { Context } from '../lib/line/context.ts';
import { defineCommand } from '../lib/line/command.ts';
import { couplingOf, downstreamOf, placesIn } from '../lib/pipelines.ts';
import type { Place } from '../lib/pipelines.ts';
import { poll } from '../lib/api/poll.ts';

/** A release command has an hour, and so have those of releases before it. */
const WITHIN_MS = 6 * 3_600_000;

export default defineCommand({
  ofApp: true,
  flags: {
    to: {
      kind: 'string',
      short: 't',
      value: 'APPS',
      summary: 'apps of the pipeline, with commas; the next stage',
    },
  },
  details:
    'Releases the code that the app runs at the apps of the next stage, each with its own config vars.',
  examples: [
    'kith pipelines:promote -a blog-staging',
    'kith pipelines:promote -a blog-staging --to blog,blog-eu',
  ],
  async run(context) {
    const { api, screen, flags } = context;
    const coupling = await couplingOf(api, await context.app());
    const places = await placesIn(api, coupling.pipeline.id);
    const targets = flags.to === undefined ? downstreamOf(places, coupling) : named(places, flags.to);
    const names = targets.map(({ app }) => app.name).join(', ');
    const promotion = await screen.progress(`Promoting ${screen.app(coupling.app.name)} to ${names}`, () =>
      api.post<PromotionResource>('/pipeline-promotions', {
        pipeline: { id: coupling.pipeline.id },
        source: { app: { id: coupling.app.id } },
        targets: targets.map(({ app }) => ({ app: { id: app.id } })),
      }),
    );
    const ended = await follow(context, promotion.id);
    if (screen.isJson) screen.json(ended);
    else await show(context, ended, targets);
    const failed = ended.filter(({ status }) => status === 'failed');
    if (failed.length > 0) throw new CliError(`Promotion to ${failed.length} of ${ended.length} apps failed`);
  },
});

function named(places: readonly Place[], to: string): readonly Place[] {
  return to
    .split(',')
    .filter((name) => name !== '')
    .map((name) => {
      const found = places.find(({ app }) => app.name === name || app.id === name);
      if (found !== undefined) return found;
      throw new CliError(`"${name}" is not in the pipeline`, { hint: 'See `kith pipelines:info`' });
    });
}

function follow(
  { api, screen, world }: Context,
  promotion: string,
): Promise<readonly PromotionTargetResource[]> {
  return screen.progress('Waiting for its releases', () =>
    poll(
      async () => {
        const targets = await api.get<readonly PromotionTargetResource[]>(
          `/pipeline-promotions/${promotion}/promotion-targets`,
        );
        return targets.some(({ status }) => status === 'pending') ? null : targets;
      },
      {
        everyMs: world.pollMs,
        withinMs: WITHIN_MS,
        lateMessage: 'The release commands of the promotion have not ended',
        hint: 'See `kith releases` of each app',
      },
    ),
  );
}

async function show(
  { api, screen }: Context,
  ended: readonly PromotionTargetResource[],
  targets: readonly Place[],
): Promise<void> {
  for (const { app, status, release, error_message } of ended) {
    const name = targets.find((target) => target.app.id === app.id)?.app.name ?? app.id;
    const made =
      release === null ? null : await api.get<ReleaseResource>(`/apps/${app.id}/releases/${release.id}`);
    const label = made === null ? '' : `, ${made.label}`;
    const painted = status === 'succeeded' ? screen.paint.green(status) : screen.paint.red(status);
    screen.line(`⬢ ${name}: ${painted}${label}${error_message === null ? '' : `: ${error_message}`}`);
  }
}
