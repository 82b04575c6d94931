import type { DynoResource } from '../../src/platform/dyno.ts';
import { defineCommand } from '../lib/line/command.ts';
import { commandLine, ENV_FLAG, parseEnv } from '../lib/run/one-off.ts';
import { runAttached } from '../lib/run/run-attached.ts';
import { terminalOf } from '../lib/line/terminal.ts';

const DYNO_DEFAULT = 'web.1';

export default defineCommand({
  ofApp: true,
  endsFlags: true,
  args: { command: { is: 'rest', summary: 'run by a shell inside the dyno; bash unless given' } },
  flags: {
    dyno: { kind: 'string', short: 'd', value: 'DYNO', summary: `the dyno, if not ${DYNO_DEFAULT}` },
    env: ENV_FLAG,
    'no-tty': { kind: 'boolean', summary: 'give the command no terminal' },
  },
  details:
    'The command runs beside the process of the dyno, in its files and with its environment, and ends with the dyno at ' +
    "the latest. Who ran something is in the app's log.",
  examples: ['kith ps:exec', 'kith ps:exec --dyno worker.2 ps aux', 'kith ps:exec "cat log/*.log" > all.log'],
  async run(context) {
    const { api, screen, args, flags, world } = context;
    const terminal = terminalOf(world, !flags['no-tty']);
    const command = args.command.length === 0 ? 'bash' : commandLine(args.command);
    const name = flags.dyno ?? DYNO_DEFAULT;
    const path = await context.appPath(`/dynos/${encodeURIComponent(name)}`);
    const label = `Running ${screen.paintErr.cyan(command)} in ${name} on ${screen.app(await context.app())}`;
    return runAttached(context, terminal, label, () =>
      api.post<DynoResource>(path, {
        command,
        env: { ...terminal.env, ...parseEnv(flags.env) },
        ...(terminal.hasTty ? {} : { force_no_tty: true }),
      }),
    );
  },
});
