import { defineCommand } from '../lib/line/command.ts';
import { commandLine, ONE_OFF_FLAGS, startOneOff } from '../lib/run/one-off.ts';
import { runAttached } from '../lib/run/run-attached.ts';
import { terminalOf } from '../lib/line/terminal.ts';

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
  details:
    'The dyno ends with its command, with its client (SIGHUP, and SIGKILL 20 s later), after an hour without input or ' +
    'output, and after a day at the latest.',
  examples: [
    'kith run bash',
    'kith run --app blog rake db:migrate',
    'kith run psql < dump.sql',
    'kith run --size Standard-2X --env "A=1;B=2" node job.js',
  ],
  async run(context) {
    const { screen, args, flags, world } = context;
    const terminal = terminalOf(world, !flags['no-tty']);
    const app = screen.app(await context.app());
    const label = `Running ${screen.paintErr.cyan(commandLine(args.command))} on ${app}`;
    return runAttached(context, terminal, label, () => startOneOff(context, args.command, flags, terminal));
  },
});
