import { defineCommand } from '../lib/command.ts';
import { commandLine, ONE_OFF_FLAGS, startOneOff } from '../lib/one-off.ts';

export default defineCommand({
  ofApp: true,
  endsFlags: true,
  args: { command: { is: 'rest' } },
  flags: ONE_OFF_FLAGS,
  details: "Its output goes to the app's log.",
  async run(context) {
    const { screen, args, flags } = context;
    const options = { words: args.command, size: flags.size, env: flags.env };
    const dyno = await screen.progress(
      `Running ${screen.paintErr.cyan(commandLine(args.command))} on ${screen.app(await context.app())}`,
      () => startOneOff(context, options, { attach: false, hasTty: false, terminal: {} }),
      ({ name }) => `done, ${name}`,
    );
    if (screen.isJson) return screen.json(dyno);
    screen.note(`Run \`kith logs --app ${await context.app()} --dyno ${dyno.name}\` to see its output.`);
  },
});
