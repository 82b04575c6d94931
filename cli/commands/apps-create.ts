import type { AppResource } from '../../src/platform/app.ts';
import { defineCommand } from '../lib/line/command.ts';
import { APP_FLAGS } from '../lib/line/specs.ts';
import { gitBase, gitUrl, setUpGit } from '../lib/deploy/git-setup.ts';

export default defineCommand({
  args: { name: { is: 'optional', summary: 'name of the app; one is made up where none is given' } },
  flags: {
    app: APP_FLAGS.app,
    remote: { ...APP_FLAGS.remote, summary: 'name of the git remote to add, if not "kith"' },
    buildpack: {
      kind: 'string',
      short: 'b',
      value: 'BUILDPACK',
      summary: 'buildpack to use instead of a detected one',
    },
    'no-remote': { kind: 'boolean', short: 'n', summary: 'add no git remote' },
  },
  details: 'In a git repository the app also becomes a remote, so that `git push kith main` deploys it.',
  examples: ['kith apps:create', 'kith apps:create blog'],
  async run(context) {
    const { api, screen, args, flags } = context;
    const name = args.name ?? flags.app;
    const app = await screen.progress(
      name === undefined ? 'Creating app' : `Creating ${screen.app(name)}`,
      () => api.post<AppResource>('/apps', name === undefined ? {} : { name }),
      (made) => (name === undefined ? `done, ${screen.app(made.name)}` : 'done'),
    );
    if (flags.buildpack !== undefined) {
      const updates = [{ buildpack: flags.buildpack }];
      await screen.progress(`Setting buildpack to ${flags.buildpack}`, () =>
        api.put(`/apps/${app.id}/buildpack-installations`, { updates }),
      );
    }
    const base = await gitBase(context);
    const isSetUp = !flags['no-remote'] && (await setUpGit(context, base, app.name));
    if (screen.isJson) return screen.json(app);
    screen.line(`${screen.paint.cyan(app.web_url)} | ${screen.paint.green(gitUrl(base, app.name))}`);
    if (isSetUp)
      screen.note(`Git remote ${context.remote} added: deploy with \`git push ${context.remote} main\``);
  },
});
