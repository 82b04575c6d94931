import { defineCommand } from '../lib/line/command.ts';
import { findPipeline, placesIn } from '../lib/pipelines.ts';

export default defineCommand({
  args: { pipeline: { is: 'required', summary: 'name or id' } },
  async run({ api, screen, args }) {
    const pipeline = await findPipeline(api, args.pipeline);
    const places = await placesIn(api, pipeline.id);
    if (screen.isJson) return screen.json({ pipeline, apps: places });
    screen.heading(pipeline.name);
    screen.facts({ Owner: pipeline.owner.email });
    screen.line();
    if (places.length === 0) return screen.line('It has no apps: kith pipelines:add');
    screen.table(
      ['APP', 'STAGE'],
      places.map(({ app, stage }) => [app.name, stage]),
    );
  },
});
