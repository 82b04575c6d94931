import { attachTo } from '../lib/attach.ts';
import { CliError } from '../lib/cli-error.ts';
import { defineCommand } from '../lib/command.ts';
import { commandLine, ONE_OFF_FLAGS, startOneOff } from '../lib/one-off.ts';
import type { World } from '../lib/world.ts';

export default defineCommand({
  ofApp: true,
  endsFlags: true,
  args: { command: { is: 'rest', summary: 'run by a shell; $NAME is a variable of the dyno' } },
  flags: {
    ...ONE_OFF_FLAGS,
    'no-tty': { kind: 'boolean', summary: 'give the command no terminal' },
    'exit-code': {
      kind: 'boolean',
      short: 'x',
      summary: "nothing to ask for: the command's status is always passed on",
    },
  },
  examples: ['kith run bash', 'kith run --app blog rake db:migrate', 'kith run psql < dump.sql'],
  async run(context) {
    const { api, screen, args, flags, world } = context;
    const hasTty = !flags['no-tty'] && world.stdin.isTTY === true && world.stdout.isTTY === true;
    const terminal = hasTty ? terminalOf(world) : {};
    const options = { words: args.command, size: flags.size, env: flags.env };
    const app = screen.app(await context.app());
    const { stream } = await screen.progress(
      `Running ${screen.paintErr.cyan(commandLine(args.command))} on ${app}`,
      async (update) => {
        const dyno = await startOneOff(context, options, { attach: true, hasTty, terminal });
        update(`connecting, ${dyno.name}`);
        const stream = await api.upgrade(`/kith/attach/${secretOf(dyno.attach_url)}`, 'kith-attach');
        return { dyno, stream };
      },
      ({ dyno }) => `up, ${dyno.name}`,
    );
    return attachTo(stream.socket, stream.head, world, hasTty);
  },
});

function terminalOf({ env, stdout }: World): Readonly<Record<string, string>> {
  const { columns = 80, rows = 24 } = stdout;
  return { TERM: env['TERM'] ?? 'xterm', COLUMNS: String(columns), LINES: String(rows) };
}

/** The last part of `rendezvous://HOST:PORT/SECRET`: the peer that is spoken to knows it, whatever it calls itself. */
function secretOf(attachUrl: string | null): string {
  const secret = /^[a-z]+:\/\/[^/]+\/([^/?]+)/.exec(attachUrl ?? '')?.[1];
  if (secret === undefined) throw new CliError('The peer does not say where to attach');
  return secret;
}
