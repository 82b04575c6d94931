import { CliError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { parseBase } from '../lib/api/endpoint.ts';
import { readHosts, writeHosts } from '../lib/api/hosts.ts';

export default defineCommand({
  args: { host: { is: 'optional', summary: "a peer's API; the last that you logged in to" } },
  details: 'The token itself stays good: `kith tokens:revoke` ends it.',
  async run(context) {
    const { screen, args, world, endpoint } = context;
    const saved = readHosts(world.env);
    const named = args.host ?? (endpoint.kind === 'http' ? endpoint.base : saved.default);
    const base = named === null ? null : parseBase(named);
    if (base === null || !Object.hasOwn(saved.hosts, base)) {
      throw new CliError(
        base === null ? 'You are not logged in anywhere' : `You are not logged in to ${base}`,
      );
    }
    const hosts = Object.fromEntries(Object.entries(saved.hosts).filter(([host]) => host !== base));
    writeHosts(world.env, {
      default: saved.default === base ? (Object.keys(hosts)[0] ?? null) : saved.default,
      hosts,
    });
    if (screen.isJson) return screen.json({ host: base });
    screen.line(`Logged out of ${base}`);
  },
});
