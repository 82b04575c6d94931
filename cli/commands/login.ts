import type { AccountResource } from '../../src/platform/account.ts';
import { UsageError } from '../lib/line/cli-error.ts';
import { Client } from '../lib/api/client.ts';
import { defineCommand } from '../lib/line/command.ts';
import { parseBase } from '../lib/api/endpoint.ts';
import { hostsPath, readHosts, writeHosts } from '../lib/api/hosts.ts';
import { readSecret } from '../lib/line/prompt.ts';

export default defineCommand({
  args: { host: { is: 'optional', summary: "a peer's API: 10.0.0.2:5001" } },
  details:
    'Asks for a token (or reads it from stdin), tries it, and saves it for that peer, which from then on is the one that commands speak to. `kith tokens:create` makes tokens, on any machine that has an agent.',
  examples: ['kith login 10.0.0.2:5001', 'kith login 10.0.0.2:5001 < token'],
  async run(context) {
    const { screen, args, world } = context;
    const base = baseOf(context.endpoint, args.host);
    const token = await readSecret(world, `Token for ${base}: `);
    if (token === '')
      throw new UsageError(
        'No token was given',
        '`kith tokens:create USER` makes one on a machine with an agent',
      );
    const account = await new Client({ kind: 'http', base, token }).get<AccountResource>('/account');
    const { hosts } = readHosts(world.env);
    writeHosts(world.env, { default: base, hosts: { ...hosts, [base]: { token, user: account.email } } });
    if (screen.isJson) return screen.json(account);
    screen.line(`Logged in to ${base} as ${account.email}`);
    screen.note(`The token is in ${hostsPath(world.env)}`);
  },
});

function baseOf(
  endpoint: { kind: 'http'; base: string } | { kind: 'unix' },
  host: string | undefined,
): string {
  if (host !== undefined) return parseBase(host);
  if (endpoint.kind === 'http') return endpoint.base;
  throw new UsageError(
    'No peer was named',
    'Name one like `kith login 10.0.0.2:5001`; the agent of this machine needs no login',
  );
}
