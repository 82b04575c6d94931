import { PlatformError } from '../../../src/errors.ts';
import type { Addon } from '../../../src/ledger/addons/addon-types.ts';
import { nextAddonStep } from '../../../src/ledger/addons/addon-work.ts';
import { mustBeAllowed } from '../../../src/platform/access.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { addonEndpoints } from '../../../src/platform/endpoints/addons.ts';
import { ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';
import { isProvider, mustAddon, seenAddon, shown } from './addons.ts';
import { inView } from './in-view.ts';

/** A provider hears that its change is in every app; should that take longer, it goes on by itself. */
const SYNC_WAIT_MS = 10_000;

/** What providers ask of any peer, of add-ons of theirs. */
export const partnerRoutes = [
  route(addonEndpoints.config, config),
  route(addonEndpoints.namespaceConfig, config),
  route(addonEndpoints.setConfig, setConfig),
  route(addonEndpoints.provisioned, provisioned),
  route(addonEndpoints.deprovisioned, deprovisioned),
];

function config(request: ApiRequest): Reply {
  const addon = seenAddon(request);
  const owner = request.view().apps.get(addon.app);
  if (!isProvider(request, addon) && owner !== undefined) mustBeAllowed(request.caller, 'deploy', owner);
  return ok(configOf(request, addon));
}

async function setConfig(
  request: ApiRequest,
  { config: changes }: BodyOf<typeof addonEndpoints.setConfig>,
): Promise<Reply> {
  const addon = mustBeItsProvider(request);
  const { host, addons } = request.api;
  // Others it may take away: a manifest changes.
  const declared = addons.services().find(({ id }) => id === addon.service)?.configVars ?? [];
  const wrong = changes.find(({ name, value }) => value !== null && !declared.includes(name));
  if (wrong !== undefined) {
    throw new PlatformError(
      'invalid_params',
      `Cannot set "${wrong.name}" of "${addon.name}": the manifest of "${addon.service}" does not name it`,
      { hint: `It names: ${declared.join(', ')}` },
    );
  }
  const sealed = changes.map(
    ({ name, value }) => [name, value === null ? null : host.seal(addon.id, name, value)] as const,
  );
  const change = Object.fromEntries(sealed);
  await request.command({ type: 'addon.config', app: addon.app, addon: addon.id, config: change });
  await untilDone(request, addon);
  return ok(configOf(request, mustAddon(request, addon.id)));
}

async function provisioned(request: ApiRequest): Promise<Reply> {
  const addon = mustBeItsProvider(request);
  if (addon.state === 'deprovisioning' || addon.state === 'deprovisioned') {
    throw new PlatformError('invalid_params', `Cannot provision "${addon.name}": it is ${addon.state}`);
  }
  await request.command({
    type: 'addon.settle',
    app: addon.app,
    addon: addon.id,
    state: 'provisioned',
    providerId: null,
    message: null,
    drainUrl: null,
    config: {},
  });
  await untilDone(request, addon);
  return ok(shown(request, mustAddon(request, addon.id)));
}

async function deprovisioned(request: ApiRequest): Promise<Reply> {
  const addon = mustBeItsProvider(request);
  const reason = 'Its provider could not make it.';
  await request.command({ type: 'addon.destroy', app: addon.app, addon: addon.id, force: true, reason });
  return ok(shown(request, mustAddon(request, addon.id)));
}

function untilDone(request: ApiRequest, { id }: Addon): Promise<void> {
  return inView(
    request,
    SYNC_WAIT_MS,
    () => nextAddonStep(request.view(), mustAddon(request, id))?.do !== 'sync',
  );
}

function mustBeItsProvider(request: ApiRequest): Addon {
  const addon = seenAddon(request);
  if (isProvider(request, addon)) return addon;
  throw new PlatformError('forbidden', `Only the provider of "${addon.name}" may do that.`, {
    resource: 'add_on',
    hint: `It shows itself by the password of "${addon.service}", or by its token for this add-on`,
  });
}

function configOf({ api }: ApiRequest, addon: Addon): readonly { name: string; value: string }[] {
  return [...addon.config].flatMap(([name, value]) =>
    value === null ? [] : [{ name, value: api.host.open(addon.id, name, value) }],
  );
}
