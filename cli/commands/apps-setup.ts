import type { AppSetupResource } from '../../src/platform/app-setup.ts';
import { defineCommand } from '../lib/line/command.ts';
import { parsePairs } from '../lib/config-vars.ts';
import { git } from '../lib/deploy/git.ts';
import { SETUP_ARGS, SETUP_FLAGS, followSetup, sourcesAt } from '../lib/setups.ts';
import { uploadSource } from '../lib/deploy/upload-source.ts';

export default defineCommand({
  args: SETUP_ARGS,
  flags: {
    app: {
      kind: 'string',
      short: 'a',
      value: 'APP',
      summary: 'name of the app; one is made up where none is given',
    },
    ...SETUP_FLAGS,
  },
  details: 'Makes an app with all that its app.json asks for. What fails leaves no app behind.',
  examples: ['kith apps:setup guestbook/ -a guestbook -e ADMIN=ada@example.com'],
  async run(context) {
    const { api, screen, args, flags, world } = context;
    const at = sourcesAt(world, args.dir);
    const version = flags.version ?? (await git(at, 'rev-parse', 'HEAD'));
    const url = await uploadSource(context, args.dir ?? '.');
    const { id } = await screen.progress('Setting up the app', () =>
      api.post<AppSetupResource>('/app-setups', {
        source_blob: { url, version },
        app: flags.app === undefined ? {} : { name: flags.app },
        overrides: { env: parsePairs(flags.env, 'Write it like --env MODE=demo') },
      }),
    );
    const setup = await followSetup(context, id);
    if (screen.isJson) return screen.json(setup);
    screen.line(`⬢ ${setup.app.name} ${screen.paint.cyan(setup.resolved_success_url ?? '')}`);
  },
});
