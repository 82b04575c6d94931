import type { AddonResource, AttachmentResource } from '../../src/platform/addon.ts';
import { defineCommand } from '../lib/line/command.ts';
import { APP_FLAGS } from '../lib/line/specs.ts';
import { formatPrice } from '../lib/addons.ts';

export default defineCommand({
  flags: { ...APP_FLAGS, all: { kind: 'boolean', short: 'A', summary: 'those of all apps' } },
  async run(context) {
    const { api, screen, flags } = context;
    const base = flags.all ? '' : await context.appPath();
    const every = { range: 'name ..; max=1000;' };
    const [addons, attachments] = await Promise.all([
      api.get<readonly AddonResource[]>(`${base}/addons`, every),
      api.get<readonly AttachmentResource[]>(`${base}/addon-attachments`, every),
    ]);
    if (screen.isJson)
      return screen.json(addons.map((addon) => ({ ...addon, attachments: of(addon, attachments) })));
    const owned = new Set(addons.map(({ id }) => id));
    const borrowed = attachments.filter(({ addon }) => !owned.has(addon.id));
    if (addons.length === 0 && borrowed.length === 0) {
      return screen.line(flags.all ? 'No add-ons yet' : `No add-ons on ${screen.app(await context.app())}`);
    }
    screen.table(
      ['ADD-ON', 'PLAN', 'PRICE', 'STATE', 'APP', 'AS'],
      [
        ...addons.map((addon) => [
          screen.paint.cyan(addon.name),
          addon.plan.name,
          formatPrice(addon.plan.price.cents),
          addon.state,
          addon.app.name,
          of(addon, attachments)
            .map(({ name, app }) => (app.id === addon.app.id ? name : `${app.name}::${name}`))
            .join(', '),
        ]),
        ...borrowed.map(({ addon, name }) => [
          screen.paint.cyan(addon.name),
          '',
          '',
          '',
          addon.app.name,
          name,
        ]),
      ],
    );
  },
});

function of(
  { id }: AddonResource,
  attachments: readonly AttachmentResource[],
): readonly AttachmentResource[] {
  return attachments.filter(({ addon }) => addon.id === id);
}
