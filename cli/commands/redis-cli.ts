import { addressOf, findDatabase, REDIS } from '../lib/databases/databases.ts';
import { defineCommand } from '../lib/line/command.ts';
import { runDatabaseClient } from '../lib/databases/database-client.ts';

export default defineCommand({
  ofApp: true,
  args: {
    addon: { is: 'optional', summary: 'its name, or an attachment of the app: REDIS' },
    command: { is: 'rest', summary: 'run this, and end' },
  },
  endsFlags: true,
  details:
    'Runs the `redis-cli` of this machine, which must reach the server. For a server that Kith runs, `redis-cli` runs in a one-off dyno.',
  examples: ['kith redis:cli -a blog', 'kith redis:cli -a blog REDIS GET visits'],
  async run(context) {
    const { api, args } = context;
    const addon = await findDatabase(api, REDIS, args.addon, () => context.app());
    const url = await addressOf(api, addon, REDIS);
    const words = [
      '-h',
      url.hostname.replace(/^\[|\]$/g, ''),
      '-p',
      url.port === '' ? '6379' : url.port,
      '--user',
      decodeURIComponent(url.username),
      '-n',
      url.pathname.slice(1),
      ...(url.protocol === 'rediss:' ? ['--tls'] : []),
    ];
    const env = { REDISCLI_AUTH: decodeURIComponent(url.password) };
    return runDatabaseClient(context, url, { program: 'redis-cli', args: [...words, ...args.command], env });
  },
});
