import type { AccountResource } from '../../src/platform/account.ts';
import { ApiError, CliError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';

// Heroku's status for "not logged in".
const EXIT_NOBODY = 100;

export default defineCommand({
  async run({ api, screen }) {
    try {
      const account = await api.get<AccountResource>('/account');
      if (screen.isJson) return screen.json(account);
      screen.line(account.email);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      throw new CliError(error.message, { hint: error.hint, exit: EXIT_NOBODY, cause: error });
    }
  },
});
