import type { PlanResource } from '../../src/platform/addon-service.ts';
import { formatPrice } from '../lib/addons.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  args: { service: { is: 'required', summary: 'see `kith addons:services`' } },
  async run({ api, screen, args }) {
    const path = `/addon-services/${encodeURIComponent(args.service)}/plans`;
    const plans = await api.get<readonly PlanResource[]>(path);
    if (screen.isJson) return screen.json(plans);
    screen.table(
      ['', 'PLAN', 'NAME', 'PRICE'],
      plans.map((plan) => [
        plan.default ? 'default' : '',
        screen.paint.cyan(plan.name),
        plan.human_name,
        formatPrice(plan.price.cents),
      ]),
    );
  },
});
