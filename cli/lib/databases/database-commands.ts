import type { AddonResource } from '../../../src/platform/addon.ts';
import { defineCommand, type Command } from '../line/command.ts';
import { addressOf, findDatabase, type POSTGRESQL } from './databases.ts';

const ARGS = { addon: { is: 'optional', summary: 'its name, or an attachment of the app' } } as const;

/** `pg:info`, `redis:info`: an add-on and where it is, without the password. */
export function infoCommand(kind: typeof POSTGRESQL): Command {
  return defineCommand({
    ofApp: true,
    args: ARGS,
    async run(context) {
      const { api, screen, args } = context;
      const addon = await findDatabase(api, kind, args.addon, () => context.app());
      if (screen.isJson) return screen.json(addon);
      const url = await addressOf(api, addon, kind);
      screen.heading(addon.name);
      screen.facts({
        Plan: addon.plan.name,
        State: addon.state,
        App: addon.app.name,
        Server: url.host,
        Database: decodeURIComponent(url.pathname.slice(1)),
        User: decodeURIComponent(url.username),
        'Config vars': addon.config_vars.join(', '),
        Created: addon.created_at,
        Message: addon.provision_message ?? '',
      });
    },
  });
}

/** `pg:credentials:rotate`, `redis:credentials:rotate`. */
export function rotateCommand(kind: typeof POSTGRESQL): Command {
  return defineCommand({
    ofApp: true,
    args: ARGS,
    details:
      'Apps get a release with the new ones. The old ones work until no dyno has them any more, at most for half an hour.',
    async run(context) {
      const { api, screen, args } = context;
      const addon = await findDatabase(api, kind, args.addon, () => context.app());
      const rotated = await screen.progress(
        `Rotating the credentials of ${screen.paintErr.cyan(addon.name)}`,
        () => api.post<AddonResource>(`/kith/addons/${addon.id}/actions/rotate`),
      );
      if (screen.isJson) screen.json(rotated);
    },
  });
}
