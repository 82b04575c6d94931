import { writeBuildpacks } from '../lib/deploy/buildpacks.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: {
    buildpack: { is: 'required', summary: 'name (heroku/nodejs), or URL of a git repository or archive' },
  },
  run: (context) => writeBuildpacks(context, [context.args.buildpack], 'set'),
});
