import type { FeatureResource } from '../../src/platform/feature.ts';
import type { Context } from './line/context.ts';

export async function setFeature(context: Context, name: string, enabled: boolean): Promise<void> {
  const { api, screen } = context;
  const path = await context.appPath(`/features/${encodeURIComponent(name)}`);
  const changed = await screen.progress(
    `${enabled ? 'Enabling' : 'Disabling'} ${name} for ${screen.app(await context.app())}`,
    () => api.patch<FeatureResource>(path, { enabled }),
  );
  if (screen.isJson) screen.json(changed);
}
