import type { ReleaseResource } from '../../src/platform/release.ts';
import type { SlugResource } from '../../src/platform/slug.ts';
import type { Client } from '../lib/api/client.ts';
import { defineCommand } from '../lib/line/command.ts';
import { couplingOf, downstreamOf, placesIn } from '../lib/pipelines.ts';

export default defineCommand({
  ofApp: true,
  details: 'Compares the commit that the app runs with those of the apps at the next stage.',
  examples: ['kith pipelines:diff -a blog-staging'],
  async run(context) {
    const { api, screen } = context;
    const coupling = await couplingOf(api, await context.app());
    const next = downstreamOf(await placesIn(api, coupling.pipeline.id), coupling);
    const own = await commitOf(api, coupling.app.id);
    const rows = await Promise.all(
      next.map(async ({ app }) => {
        const commit = await commitOf(api, app.id);
        return { app: app.name, commit, isSame: commit !== null && commit === own };
      }),
    );
    if (screen.isJson) return screen.json({ app: coupling.app.name, commit: own, downstream: rows });
    screen.line(`⬢ ${coupling.app.name} runs ${shown(own)}`);
    for (const { app, commit, isSame } of rows) {
      screen.line(isSame ? `⬢ ${app} is up to date` : `⬢ ${app} runs ${shown(commit)}`);
      if (!isSame && commit !== null && own !== null)
        screen.line(`  git log ${commit.slice(0, 12)}..${own.slice(0, 12)}`);
    }
  },
});

/** The commit that an app runs, or what its source was called; null where it has none. */
async function commitOf(api: Client, app: string): Promise<string | null> {
  const { slug } = await api.get<ReleaseResource>(`/apps/${app}/releases/current`);
  return slug === null ? null : (await api.get<SlugResource>(`/apps/${app}/slugs/${slug.id}`)).commit;
}

function shown(commit: string | null): string {
  return commit === null ? 'nothing that has a commit' : commit.slice(0, 12);
}
