import { defineCommand } from '../lib/line/command.ts';
import { UsageError } from '../lib/line/cli-error.ts';
import { paintLogLine } from '../lib/print/log-paint.ts';
import { streamLog } from '../lib/run/log-stream.ts';
import { parseCount } from '../lib/line/parse-count.ts';

export default defineCommand({
  ofApp: true,
  flags: {
    num: { kind: 'string', short: 'n', value: 'NUM', summary: 'lines to begin with (100, at most 1500)' },
    tail: { kind: 'boolean', short: 't', summary: 'go on with new lines' },
    source: { kind: 'string', short: 's', value: 'SOURCE', summary: 'only lines of app or heroku' },
    dyno: {
      kind: 'string',
      short: 'd',
      value: 'DYNO',
      summary: 'only lines of a dyno (web.1), or of router or api',
    },
    'process-type': {
      kind: 'string',
      short: 'p',
      value: 'TYPE',
      summary: 'only lines of a process type (web)',
    },
  },
  examples: ['kith logs --tail', 'kith logs -n 1500 --dyno router'],
  async run(context) {
    const { api, screen, flags, world } = context;
    if (flags.dyno !== undefined && flags['process-type'] !== undefined) {
      throw new UsageError('--dyno and --process-type exclude each other');
    }
    const query = {
      lines: parseCount('num', flags.num, 100),
      tail: flags.tail,
      source: flags.source,
      dyno: flags.dyno ?? flags['process-type'],
    };
    const onLost = (reason: string): void => screen.warn(`${reason}. Reconnecting…`);
    for await (const line of streamLog(api, await context.appPath(), query, onLost)) {
      const isWritable = world.stdout.write(
        `${screen.isJson ? JSON.stringify(line) : paintLogLine(line, screen.paint)}\n`,
      );
      if (!isWritable) await new Promise((resolve) => world.stdout.once('drain', resolve));
    }
  },
});
