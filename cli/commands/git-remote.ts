import type { AppResource } from '../../src/platform/app.ts';
import { CliError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { APP_FLAGS } from '../lib/line/specs.ts';
import { gitBase, gitUrl, setUpGit } from '../lib/deploy/git-setup.ts';

export default defineCommand({
  flags: {
    app: APP_FLAGS.app,
    remote: { ...APP_FLAGS.remote, summary: 'name of the remote, if not "kith"' },
  },
  details: 'No token is written anywhere: git asks `kith git:credentials` for it at each push.',
  examples: ['kith git:remote --app blog'],
  async run(context) {
    const { api, screen, flags } = context;
    const path = flags.app === undefined ? await context.appPath() : `/apps/${encodeURIComponent(flags.app)}`;
    const app = await api.get<AppResource>(path);
    const base = await gitBase(context);
    if (!(await setUpGit(context, base, app.name))) {
      throw new CliError('This folder is no git repository', { hint: 'Make it one with `git init`' });
    }
    if (screen.isJson) return screen.json(app);
    screen.line(`set git remote ${context.remote} to ${gitUrl(base, app.name)}`);
  },
});
