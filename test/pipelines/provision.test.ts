import { expect, test } from 'vitest';
import { provisionAll } from '../../agent/pipelines/provision.ts';
import type { AppId, SetupId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { Setup } from '../../src/ledger/pipelines/setup-types.ts';
import type { AddonService } from '../../src/shell/addon-provider.ts';
import { LedgerHost } from '../api/ledger-host.ts';
import { blobId } from '../ledger/builders.ts';
import { uuid } from '../ledger/pipeline-history.ts';

const APP = uuid<AppId>('app');
const BY = { user: 'ann@example.com', request: null };

const REDIS = {
  id: 'redis',
  name: 'Redis',
  description: '',
  prefix: 'REDIS',
  configVars: ['REDIS_URL'],
  plans: [{ name: 'mini', description: 'Mini', isDefault: true }],
} as unknown as AddonService;

function hostWithSetup(): LedgerHost {
  const host = new LedgerHost();
  const about = { build: 'b', source: blobId('src'), version: null, env: {}, buildpacks: null, review: null };
  const setup = { setup: uuid<SetupId>('setup'), ...about };
  host.write({ type: 'setup.create', app: APP, name: 'shop', fallbackName: 'fog', setup }, BY);
  return host;
}

function appOf(host: LedgerHost): App & { setup: Setup } {
  const app = host.view().apps.get(APP);
  if (app?.setup == null) throw new Error('No such app');
  return { ...app, setup: app.setup };
}

test('the add-ons of an app.json are made once, under the names that it gives them', async () => {
  const host = hostWithSetup();
  const wishes = [{ plan: 'redis:mini', as: 'CACHE', options: { size: '1' } }];
  const parts = { host, addons: { services: () => [REDIS] } };
  const stop = new AbortController();
  const waiting = provisionAll(parts, appOf(host), wishes, stop.signal);
  stop.abort();
  await expect(waiting).rejects.toThrow();
  const [addon] = [...appOf(host).addons.values()];
  expect(addon).toMatchObject({ service: 'redis', plan: 'mini', state: 'provisioning' });
  await expect(provisionAll(parts, appOf(host), wishes, stop.signal)).rejects.toThrow();
  expect(appOf(host).addons.size).toBe(1);
});

test('a service that nobody offers is refused', async () => {
  const host = hostWithSetup();
  const parts = { host, addons: { services: () => [] } };
  const wishes = [{ plan: 'nobody-has-it', as: null, options: {} }];
  await expect(provisionAll(parts, appOf(host), wishes, new AbortController().signal)).rejects.toThrow(
    'nobody-has-it',
  );
});
