import { postgresEnvironment } from '../../src/postgres-environment.ts';
import { addressOf, findDatabase, POSTGRESQL } from '../lib/databases.ts';
import { defineCommand } from '../lib/command.ts';
import { runClient } from '../lib/run-client.ts';

export default defineCommand({
  ofApp: true,
  args: { addon: { is: 'optional', summary: 'its name, or an attachment of the app' } },
  flags: { command: { kind: 'string', short: 'c', value: 'SQL', summary: 'run this, and end' } },
  details: 'Runs the `psql` of this machine, which must reach the server.',
  examples: ['kith pg:psql -a blog', "kith pg:psql -a blog -c 'SELECT count(*) FROM posts'"],
  async run(context) {
    const { api, args, flags, world } = context;
    const addon = await findDatabase(api, POSTGRESQL, args.addon, () => context.app());
    const env = postgresEnvironment(await addressOf(api, addon, POSTGRESQL));
    return runClient('psql', flags.command === undefined ? [] : ['-c', flags.command], env, world);
  },
});
