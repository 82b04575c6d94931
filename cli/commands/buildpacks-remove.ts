import { isBuildpack, readBuildpacks, writeBuildpacks } from '../lib/deploy/buildpacks.ts';
import { CliError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: { buildpack: { is: 'required' } },
  async run(context) {
    const { args } = context;
    const urls = await readBuildpacks(context);
    const left = urls.filter((url) => !isBuildpack(url, args.buildpack));
    if (left.length === urls.length) {
      throw new CliError(`${args.buildpack} is no buildpack of ${await context.app()}`, {
        hint: 'See `kith buildpacks` for those there are',
      });
    }
    await writeBuildpacks(context, left, 'removed');
  },
});
