import type { ProviderResource } from '../../src/platform/provider.ts';
import { CliError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { mustServer } from '../lib/databases/managed-servers.ts';
import { ServerApp } from '../lib/databases/server-app.ts';

export default defineCommand({
  args: { provider: { is: 'required', summary: 'kith-postgresql or kith-redis' } },
  flags: {
    app: {
      kind: 'string',
      short: 'a',
      value: 'APP',
      summary: 'what the app is called (as the provider)',
    },
    peer: {
      kind: 'string',
      value: 'PEER',
      summary: 'the machine that keeps the data (the one that is asked)',
    },
    size: { kind: 'string', short: 's', value: 'SIZE', summary: 'dyno size' },
  },
  details:
    'Makes an app that is the server: a volume on one machine, a dyno there, and an internal port that every dyno of the cluster reaches. Then add-ons of that provider are databases on it. Run again, it goes on where it stopped, and deploys what a newer Kith brings.',
  examples: [
    'kith providers:run kith-postgresql --peer attic --size Standard-2X',
    'kith providers:run kith-redis',
  ],
  async run(context) {
    const { api, screen, args, flags } = context;
    const server = mustServer(args.provider);
    const app = new ServerApp(context, server, flags.app ?? server.provider);
    const path = `/kith/providers/${encodeURIComponent(server.provider)}`;
    const providers = await api.get<readonly ProviderResource[]>('/kith/providers');
    mustBeFree(
      providers.find(({ id }) => id === server.provider),
      app.name,
    );
    await app.create();
    await app.volume(flags.peer);
    await app.deploy();
    const port = await app.open();
    await app.scale(flags.size);
    await app.up();
    const address = await app.address(port);
    const provider = await screen.progress(`Setting server of ${screen.paintErr.cyan(server.provider)}`, () =>
      api.patch<ProviderResource>(path, { settings: { server: address } }),
    );
    if (screen.isJson) return screen.json(provider);
    screen.line(`Apps can have databases on it: kith addons:create ${server.provider} -a APP`);
  },
});

/** Add-ons of another server would be looked for at this one. */
function mustBeFree(provider: ProviderResource | undefined, app: string): void {
  const isSet = provider?.settings.some(({ name, set }) => name === 'server' && set) === true;
  if (provider === undefined || !isSet || provider.app?.name === app) return;
  const other = provider.app === null ? 'another server' : `the server of the app "${provider.app.name}"`;
  throw new CliError(`${provider.id} has ${other}`, {
    hint: `Its add-ons are there. To use a new one from now on: kith providers:set ${provider.id} server --unset`,
  });
}
