import { isBuildpack, readBuildpacks, writeBuildpacks } from '../lib/deploy/buildpacks.ts';
import { CliError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { parseCount } from '../lib/line/parse-count.ts';

export default defineCommand({
  ofApp: true,
  args: {
    buildpack: { is: 'required', summary: 'name (heroku/nodejs), or URL of a git repository or archive' },
  },
  flags: { index: { kind: 'string', short: 'i', value: 'INDEX', summary: 'its place, from 1 (last)' } },
  async run(context) {
    const { args, flags } = context;
    const urls = await readBuildpacks(context);
    if (urls.some((url) => isBuildpack(url, args.buildpack))) {
      throw new CliError(`${args.buildpack} is already a buildpack of ${await context.app()}`);
    }
    const at = flags.index === undefined ? urls.length : Math.max(0, parseCount('index', flags.index, 1) - 1);
    await writeBuildpacks(context, urls.toSpliced(at, 0, args.buildpack), 'added');
  },
});
