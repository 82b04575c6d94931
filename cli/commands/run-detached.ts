import { defineCommand } from '../lib/line/command.ts';
import { commandLine, ONE_OFF_FLAGS, startOneOff } from '../lib/run/one-off.ts';
import { tailOneOff } from '../lib/run/tail-one-off.ts';

export default defineCommand({
  ofApp: true,
  endsFlags: true,
  args: { command: { is: 'rest' } },
  flags: {
    ...ONE_OFF_FLAGS,
    tail: { kind: 'boolean', short: 't', summary: 'show its log until it ends, and end with its status' },
  },
  details: "Its output goes to the app's log.",
  examples: ['kith run:detached rake db:migrate', 'kith run:detached --tail node job.js'],
  async run(context) {
    const { screen, args, flags } = context;
    const app = await context.app();
    const dyno = await screen.progress(
      `Running ${screen.paintErr.cyan(commandLine(args.command))} on ${screen.app(app)}`,
      () => startOneOff(context, args.command, flags, null),
      ({ name }) => `done, ${name}`,
    );
    if (flags.tail) return tailOneOff(context, dyno.name);
    if (screen.isJson) return screen.json(dyno);
    screen.note(`Run \`kith logs --app ${app} --dyno ${dyno.name}\` to see its output.`);
  },
});
