import { CliError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  async run({ endpoint, screen }) {
    if (endpoint.kind === 'unix') {
      throw new CliError('There is no token: the socket of an agent on this machine needs none', {
        hint: '`kith authorizations:create` makes one',
      });
    }
    if (endpoint.token === null) {
      throw new CliError(`You are not logged in to ${endpoint.base}`, { hint: 'Log in: kith login' });
    }
    if (screen.isJson) return screen.json({ token: endpoint.token });
    screen.line(endpoint.token);
  },
});
