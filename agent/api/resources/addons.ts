import { PlatformError } from '../../../src/errors.ts';
import type { AddonId, AttachmentId, OpId } from '../../../src/ids.ts';
import { ADDON_OPTIONS_KEY } from '../../../src/ledger/addons/addon-types.ts';
import type { Addon } from '../../../src/ledger/addons/addon-types.ts';
import { nextAddonStep } from '../../../src/ledger/addons/addon-work.ts';
import { findAddonById, freeAttachmentName, liveAddons } from '../../../src/ledger/addons/attachments.ts';
import type { App } from '../../../src/ledger/apps/app-types.ts';
import { isAllowed, isInScope, mustBeAllowed } from '../../../src/platform/access.ts';
import { addonResource, addonsOf } from '../../../src/platform/addon.ts';
import { addonNameOf } from '../../../src/platform/addon-name.ts';
import { mustFindAddon, noAddon, resolveAddons } from '../../../src/platform/find-addon.ts';
import type { AddonResource } from '../../../src/platform/addon.ts';
import { mustFindPlan } from '../../../src/platform/addon-service.ts';
import { findApp } from '../../../src/platform/app.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { addonEndpoints } from '../../../src/platform/endpoints/addons.ts';
import { logInputUrl } from '../../lib/log-input.ts';
import { accepted, created, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';
import { inView } from './in-view.ts';

/** Providers have 25 s for an answer; most take less than three. */
const PROVISION_WAIT_MS = 25_000;
const DEPROVISION_WAIT_MS = 10_000;

export const addonRoutes = [
  route(addonEndpoints.all, (request) =>
    request.list(
      liveAddons(request.view())
        .filter((addon) => maySee(request, addon))
        .map((addon) => shown(request, addon)),
      FIELDS,
    ),
  ),
  route(addonEndpoints.list, (request) =>
    request.list(
      addonsOf(request.app()).map((addon) => shown(request, addon)),
      FIELDS,
    ),
  ),
  route(addonEndpoints.create, create),
  route(addonEndpoints.info, (request) => ok(shown(request, addonOfApp(request)))),
  route(addonEndpoints.update, update),
  route(addonEndpoints.destroy, destroy),
  route(addonEndpoints.show, show),
  route(addonEndpoints.sso, sso),
  route(addonEndpoints.resolve, resolve),
];

const FIELDS = ['name', 'id', 'created_at'];

async function create(request: ApiRequest, body: BodyOf<typeof addonEndpoints.create>): Promise<Reply> {
  const { addons, host } = request.api;
  const app = request.app();
  const { service, plan } = mustFindPlan(addons.services(), nameIn(body.plan));
  const id = request.freshId('addon') as AddonId;
  const attachment = request.freshId('attachment') as AttachmentId;
  const options = host.seal(id, ADDON_OPTIONS_KEY, JSON.stringify(body.config ?? {}));
  await request.command({
    type: 'addon.create',
    app: app.id,
    addon: id,
    name: body.name ?? addonNameOf(service.id, id),
    service: service.id,
    plan: plan.name,
    prefix: service.prefix,
    willSet: service.configVars,
    options,
    attachment: {
      id: attachment,
      name: body.attachment?.name ?? freeAttachmentName(app, service.prefix, service.id, attachment),
    },
    confirm: body.confirm ?? null,
  });
  await inView(request, PROVISION_WAIT_MS, () => isAnswered(request, id));
  const addon = mustAddon(request, id);
  if (addon.refused) throw new PlatformError('invalid_params', addon.message ?? 'The provider refused.');
  return isSettled(request, addon) ? created(shown(request, addon)) : accepted(shown(request, addon));
}

/** An asynchronous provider has answered when it has taken the add-on. */
function isAnswered(request: ApiRequest, id: AddonId): boolean {
  const addon = mustAddon(request, id);
  const step = nextAddonStep(request.view(), addon);
  return step === null || step.do === 'await' || addon.state === 'deprovisioning' || addon.refused;
}

function isSettled(request: ApiRequest, addon: Addon): boolean {
  return addon.state === 'provisioned' && nextAddonStep(request.view(), addon) === null;
}

async function update(request: ApiRequest, body: BodyOf<typeof addonEndpoints.update>): Promise<Reply> {
  const addon = addonOfApp(request);
  mustOperate(request, addon);
  if (body.name != null) {
    await request.command({ type: 'addon.rename', app: addon.app, addon: addon.id, name: body.name });
  }
  const said = body.plan == null ? null : await changePlan(request, addon, nameIn(body.plan));
  const now = mustAddon(request, addon.id);
  const resource = { ...shown(request, now), ...(said === null ? {} : { provision_message: said }) };
  return now.change === null ? ok(resource) : accepted(resource);
}

/** @returns what the provider had to say */
async function changePlan(request: ApiRequest, addon: Addon, name: string): Promise<string | null> {
  const { service, plan } = mustFindPlan(
    request.api.addons.services(),
    name.includes(':') ? name : `${addon.service}:${name}`,
  );
  if (service.id !== addon.service) {
    throw new PlatformError(
      'invalid_params',
      `Cannot change "${addon.name}" to "${name}": it is of "${addon.service}"`,
      {
        hint: `See \`addons:plans ${addon.service}\``,
      },
    );
  }
  const ops = await request.command({ type: 'addon.plan', app: addon.app, addon: addon.id, plan: plan.name });
  await inView(request, PROVISION_WAIT_MS, () => {
    const now = mustAddon(request, addon.id);
    const step = nextAddonStep(request.view(), now);
    return now.change === null && (step === null || step.do === 'end-rotation');
  });
  const said = answerTo(mustAddon(request, addon.id), ops);
  if (said !== null && !said.done) {
    throw new PlatformError('invalid_params', said.message ?? `The provider of "${addon.name}" refused.`);
  }
  return said?.message ?? null;
}

function answerTo(
  { answers }: Addon,
  ops: readonly OpId[],
): { done: boolean; message: string | null } | null {
  return ops.map((op) => answers.get(op)).find((answer) => answer !== undefined) ?? null;
}

async function destroy(
  request: ApiRequest,
  { force }: BodyOf<typeof addonEndpoints.destroy>,
): Promise<Reply> {
  const addon = addonOfApp(request);
  mustOperate(request, addon);
  const { id, app } = addon;
  await request.command({ type: 'addon.destroy', app, addon: id, force: force === true, reason: null });
  await inView(request, DEPROVISION_WAIT_MS, () => mustAddon(request, id).state === 'deprovisioned');
  return ok(shown(request, mustAddon(request, id)));
}

/** Its provider is told where it may post log lines, too: that changes with the cluster's data key. */
function show(request: ApiRequest): Reply {
  const addon = seenAddon(request);
  const resource = shown(request, addon);
  if (!isProvider(request, addon)) return ok(resource);
  const { host } = new URL(request.baseUrl);
  return ok({ ...resource, log_input_url: logInputUrl(request.api.host, addon.id, host) });
}

function sso(request: ApiRequest): Reply {
  const addon = seenAddon(request);
  mustOperate(request, addon);
  const url = request.api.addons.ssoUrl(addon, request.context.user);
  if (url !== null) return ok({ method: 'get', action: url, params: null });
  throw new PlatformError('not_found', `"${addon.name}" has no page of its own.`, { resource: 'add_on' });
}

function resolve(request: ApiRequest, body: BodyOf<typeof addonEndpoints.resolve>): Reply {
  const app = body.app == null ? null : request.appNamed(body.app, 'view');
  const service = body.addon_service == null ? null : nameIn(body.addon_service);
  const found = resolveAddons(request.view(), app, body.addon).filter(
    (addon) => maySee(request, addon) && (service === null || addon.service === service),
  );
  if (found.length === 0) throw noAddon(body.addon);
  return ok(found.map((addon) => shown(request, addon)));
}

/** One of the app's own, or one that is attached to it. */
function addonOfApp(request: ApiRequest): Addon {
  const app = request.app();
  const addon = mustFindAddon(request.view(), app, request.param('addon'));
  const isHere =
    addon.app === app.id || [...app.attachments.values()].some((attachment) => attachment.addon === addon.id);
  if (!isHere) throw noAddon(request.param('addon'));
  return addon;
}

/** The add-on of the path, if the asker may see an app that has it, or is its provider. */
export function seenAddon(request: ApiRequest): Addon {
  const addon = mustFindAddon(request.view(), null, request.param('addon'));
  if (!maySee(request, addon) && !isProvider(request, addon)) throw noAddon(request.param('addon'));
  return addon;
}

export function isProvider({ caller }: ApiRequest, addon: Addon): boolean {
  const { provider } = caller;
  return provider?.service === addon.service && (provider.addon === null || provider.addon === addon.id);
}

export function maySee(request: ApiRequest, addon: Addon): boolean {
  return appsWith(request, addon).some((app) => isAllowed(request.caller, 'view', app));
}

function appsWith(request: ApiRequest, addon: Addon): readonly App[] {
  return [...request.view().apps.values()].filter(
    (app) => app.id === addon.app || [...app.attachments.values()].some((each) => each.addon === addon.id),
  );
}

/** What is done to an add-on is done to the app that owns it. */
export function mustOperate(request: ApiRequest, addon: Addon): void {
  const owner = request.view().apps.get(addon.app);
  if (owner !== undefined) mustBeAllowed(request.caller, 'operate', owner);
}

export function mustAddon(request: ApiRequest, id: AddonId): Addon {
  const addon = findAddonById(request.view(), id);
  if (addon === null) throw noAddon(id);
  return addon;
}

export function shown(request: ApiRequest, addon: Addon): AddonResource {
  return addonResource(request.view(), request.api.addons.services(), addon, webUrl(request, addon));
}

/** It lets in whoever has it, so it is for those who may work with the app, by a token that is good for config vars. */
export function webUrl(request: ApiRequest, addon: Addon): string | null {
  const { caller } = request;
  const owner = findApp(request.view(), addon.app);
  if (owner === null || addon.state !== 'provisioned' || !isAllowed(caller, 'operate', owner)) return null;
  if (!isInScope(caller.scopes, addonEndpoints.sso)) return null;
  try {
    return request.api.addons.ssoUrl(addon, request.context.user);
  } catch (error) {
    // Its provider was removed, or its secrets have not come yet: the rest can be shown.
    if (error instanceof PlatformError) return null;
    throw error;
  }
}

/** What a client names by a string or by a record. */
export function nameIn(
  named: string | { readonly id?: string | undefined; readonly name?: string | undefined },
): string {
  const found = typeof named === 'string' ? named : (named.name ?? named.id);
  if (found !== undefined) return found;
  throw new PlatformError('invalid_params', 'Invalid parameters: "id" or "name" must be given');
}
