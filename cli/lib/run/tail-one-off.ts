import type { Context } from '../line/context.ts';
import { paintLogLine } from '../print/log-paint.ts';
import { streamLog } from './log-stream.ts';

/** What it said before the tail began is shown as well. */
const LINES = 1_000;

/** Shows the log of a one-off until it has ended. @returns its exit status */
export async function tailOneOff(context: Context, dyno: string): Promise<number> {
  const { api, screen, world } = context;
  const query = { lines: LINES, tail: true, dyno };
  const onLost = (reason: string): void => screen.warn(`${reason}. Reconnecting…`);
  let status = 0;
  for await (const line of streamLog(api, await context.appPath(), query, onLost)) {
    const shown = screen.isJson ? JSON.stringify(line) : paintLogLine(line, screen.paint);
    if (!world.stdout.write(`${shown}\n`)) {
      await new Promise((resolve) => world.stdout.once('drain', resolve));
    }
    const said = saidOf(line, dyno);
    status = Number(/^Process exited with status (\d+)$/.exec(said)?.[1] ?? status);
    if (/^State changed from \S+ to (?:complete|crashed)$/.test(said)) return status;
  }
  return status;
}

/** What the platform, not the app, says of the dyno in this line; nothing in any other. */
function saidOf(line: string, dyno: string): string {
  const [, process, text = ''] = /^\S+ heroku\[([^\]]+)\]: (.*)$/.exec(line) ?? [];
  return process === dyno ? text : '';
}
