import { postgresEnvironment } from '../../src/postgres-environment.ts';
import { addressOf, findDatabase, POSTGRESQL } from '../lib/databases/databases.ts';
import { defineCommand } from '../lib/line/command.ts';
import { runDatabaseClient } from '../lib/databases/database-client.ts';

export default defineCommand({
  ofApp: true,
  args: { addon: { is: 'optional', summary: 'its name, or an attachment of the app' } },
  flags: { command: { kind: 'string', short: 'c', value: 'SQL', summary: 'run this, and end' } },
  details:
    'Runs the `psql` of this machine, which must reach the server. For a server that Kith runs, `psql` runs in a one-off dyno.',
  examples: ['kith pg:psql -a blog', "kith pg:psql -a blog -c 'SELECT count(*) FROM posts'"],
  async run(context) {
    const { api, args, flags } = context;
    const addon = await findDatabase(api, POSTGRESQL, args.addon, () => context.app());
    const url = await addressOf(api, addon, POSTGRESQL);
    const words = flags.command === undefined ? [] : ['-c', flags.command];
    return runDatabaseClient(context, url, { program: 'psql', args: words, env: postgresEnvironment(url) });
  },
});
