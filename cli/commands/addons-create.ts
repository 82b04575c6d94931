import type { AddonResource } from '../../src/platform/addon.ts';
import { formatPrice, parseOptions, untilProvisioned } from '../lib/addons.ts';
import { CliError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: {
    plan: { is: 'required', summary: 'SERVICE or SERVICE:PLAN' },
    options: { is: 'rest', summary: 'behind --: options for the provider' },
  },
  flags: {
    name: { kind: 'string', value: 'NAME', summary: 'what it is called (a name is made up)' },
    as: { kind: 'string', value: 'NAME', summary: 'what its config vars begin with' },
    wait: { kind: 'boolean', summary: 'wait until its provider has it ready' },
    confirm: {
      kind: 'string',
      short: 'c',
      value: 'APP',
      summary: 'the app, if its config vars may be replaced',
    },
  },
  examples: [
    'kith addons:create kith-postgresql',
    'kith addons:create acme-redis:big --as CACHE -- --region home',
  ],
  async run(context) {
    const { api, screen, args, flags, world } = context;
    const path = await context.appPath('/addons');
    const made = await screen.progress(
      `Creating ${screen.paintErr.cyan(args.plan)} on ${screen.app(await context.app())}`,
      async () => {
        const addon = await api.post<AddonResource>(path, {
          plan: { name: args.plan },
          config: parseOptions(args.options),
          ...(flags.as === undefined ? {} : { attachment: { name: flags.as } }),
          ...(flags.name === undefined ? {} : { name: flags.name }),
          ...(flags.confirm === undefined ? {} : { confirm: flags.confirm }),
        });
        return flags.wait && addon.state === 'provisioning' ? untilProvisioned(api, world, addon) : addon;
      },
      (addon) => formatPrice(addon.plan.price.cents),
    );
    if (screen.isJson) return screen.json(made);
    if (made.provision_message !== null) screen.line(made.provision_message);
    if (made.state === 'provisioning') {
      return screen.line(
        `${made.name} is being created in the background. The app will restart when complete: \`kith addons:wait ${made.name}\``,
      );
    }
    if (made.state !== 'provisioned') throw new CliError(`${made.name} could not be created`);
    screen.line(
      `Created ${made.name}${made.config_vars.length === 0 ? '' : ` as ${made.config_vars.join(', ')}`}`,
    );
  },
});
