import { PlatformError } from '../errors.ts';
import type { App } from '../ledger/apps/app-types.ts';
import { uuidOf } from './ids.ts';
import { isoTime } from './time.ts';

/** What an app may switch on for itself. */
export const FEATURES = [
  {
    name: 'log-runtime-metrics',
    display_name: 'Log Runtime Metrics',
    description: 'Memory and load of every dyno in the log, every 20 seconds',
  },
] as const;

export type FeatureName = (typeof FEATURES)[number]['name'];

export type FeatureResource = ReturnType<typeof featureResource>;

export function featureResource(app: App, feature: (typeof FEATURES)[number]) {
  return {
    id: uuidOf('app-feature', feature.name),
    ...feature,
    enabled: app.features.has(feature.name),
    // To the official CLI, `general` is a matter of `features`, and anything else one of `labs`.
    state: 'beta',
    doc_url: null,
    feedback_email: null,
    created_at: isoTime(app.createdAt),
    updated_at: isoTime(app.updatedAt),
  };
}

export function mustFindFeature(app: App, idOrName: string): (typeof FEATURES)[number] {
  const found = FEATURES.find(({ name }) => name === idOrName || uuidOf('app-feature', name) === idOrName);
  if (found !== undefined) return found;
  throw new PlatformError('not_found', `Couldn't find the feature "${idOrName}" of "${app.name}".`, {
    resource: 'app_feature',
    hint: `There is ${FEATURES.map(({ name }) => `"${name}"`).join(', ')}`,
  });
}
