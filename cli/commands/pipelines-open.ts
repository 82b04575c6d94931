import { defineCommand } from '../lib/line/command.ts';
import { findPipeline, placesIn } from '../lib/pipelines.ts';

export default defineCommand({
  args: { pipeline: { is: 'required', summary: 'name or id' } },
  details: 'One line for each app: its stage and its URL.',
  async run({ api, screen, args }) {
    const { id } = await findPipeline(api, args.pipeline);
    const places = await placesIn(api, id);
    if (screen.isJson) return screen.json(places.map(({ app, stage }) => ({ stage, url: app.web_url })));
    screen.lines(places.map(({ app, stage }) => `${stage.padEnd(11)} ${screen.paint.cyan(app.web_url)}`));
  },
});
