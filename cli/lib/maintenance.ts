import type { AppResource } from '../../src/platform/app.ts';
import type { Context } from './line/context.ts';

export async function setMaintenance(context: Context, maintenance: boolean): Promise<void> {
  const { api, screen } = context;
  const app = await context.app();
  const path = await context.appPath();
  const changed = await screen.progress(
    `${maintenance ? 'Enabling' : 'Disabling'} maintenance mode for ${screen.app(app)}`,
    () => api.patch<AppResource>(path, { maintenance }),
  );
  if (screen.isJson) screen.json(changed);
}
