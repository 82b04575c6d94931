import { isDeepStrictEqual } from 'node:util';
import { PlatformError } from '../../../src/errors.ts';
import type { AddonService } from '../../../src/shell/addon-provider.ts';
import { mustFindService } from '../../../src/platform/addon-service.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { providerEndpoints } from '../../../src/platform/endpoints/kith-providers.ts';
import { manifestOf, providerResource } from '../../../src/platform/provider.ts';
import type { ProviderResource } from '../../../src/platform/provider.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';

export const providerRoutes = [
  route(providerEndpoints.list, (request) =>
    ok(request.api.addons.services().map((service) => shown(request, service))),
  ),
  route(providerEndpoints.add, add),
  route(providerEndpoints.set, set),
  route(providerEndpoints.remove, remove),
];

async function add(request: ApiRequest, body: BodyOf<typeof providerEndpoints.add>): Promise<Reply> {
  const { addons } = request.api;
  if (addons.settingsOf(body.id) !== null) {
    throw new PlatformError('invalid_params', `Cannot register "${body.id}": it is a built-in provider`, {
      hint: `\`kith providers:set ${body.id} NAME\` changes its settings`,
    });
  }
  const { password, sso_salt: ssoSalt = '' } = body.api;
  const manifest = manifestOf(body, addons.seal({ password, ssoSalt }));
  await request.command({ type: 'provider.set', provider: body.id, manifest, settings: {} });
  return created(shown(request, mustFindService(addons.services(), body.id)));
}

/** Only what is named changes; null takes a setting away. */
async function set(request: ApiRequest, { settings }: BodyOf<typeof providerEndpoints.set>): Promise<Reply> {
  const { addons } = request.api;
  const id = request.param('provider');
  const known = addons.settingsOf(id);
  if (known === null) {
    throw new PlatformError('not_found', `There is no built-in provider "${id}".`, {
      resource: 'addon_service',
      hint: 'See `kith providers`',
    });
  }
  const wrong = Object.keys(settings).find((name) => !Object.hasOwn(known, name));
  if (wrong !== undefined) {
    throw new PlatformError('invalid_params', `"${id}" has no setting "${wrong}"`, {
      hint: `It has: ${Object.keys(known).join(', ')}`,
    });
  }
  const before = Object.entries(request.view().providers.get(id)?.settings ?? {});
  const kept = before.filter(([name]) => !Object.hasOwn(settings, name));
  const changed = Object.entries(settings).flatMap(([name, value]) =>
    value === null ? [] : [[name, addons.sealSetting(id, name, value)] as const],
  );
  const all = Object.fromEntries([...kept, ...changed]);
  if (!isDeepStrictEqual(all, Object.fromEntries(before))) {
    await request.command({ type: 'provider.set', provider: id, manifest: null, settings: all });
  }
  return ok(shown(request, mustFindService(addons.services(), id)));
}

async function remove(request: ApiRequest): Promise<Reply> {
  const id = request.param('provider');
  const service = request.api.addons.services().find((each) => each.id === id);
  const resource = service === undefined ? {} : shown(request, service);
  await request.command({ type: 'provider.remove', provider: id });
  return ok(resource);
}

/** Where a provider is, is for those who register it: mostly some place inside. */
function shown(request: ApiRequest, service: AddonService): ProviderResource {
  const { api, caller } = request;
  const view = request.view();
  const served = api.addons.serverApp(service.id);
  const app = served === null ? null : (view.apps.get(served) ?? null);
  const resource = providerResource(view, service, api.addons.settingsOf(service.id) ?? {}, app);
  return caller.role === 'admin' ? resource : { ...resource, base_url: null, app: null };
}
