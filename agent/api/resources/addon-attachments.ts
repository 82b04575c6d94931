import type { AttachmentId } from '../../../src/ids.ts';
import type { Attachment } from '../../../src/ledger/addons/addon-types.ts';
import { attachmentsOf, findAddonById, freeAttachmentName } from '../../../src/ledger/addons/attachments.ts';
import type { App } from '../../../src/ledger/apps/app-types.ts';
import { isAllowed, mustBeAllowed, visibleApps } from '../../../src/platform/access.ts';
import { attachmentResource, attachmentsIn } from '../../../src/platform/addon.ts';
import {
  mustFindAddon,
  mustFindAttachment,
  noAddon,
  resolveAttachments,
} from '../../../src/platform/find-addon.ts';
import type { AttachmentResource } from '../../../src/platform/addon.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { attachmentEndpoints } from '../../../src/platform/endpoints/addons.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';
import { maySee, mustOperate, nameIn, seenAddon, webUrl } from './addons.ts';

export const attachmentRoutes = [
  route(attachmentEndpoints.all, (request) =>
    list(
      request,
      visibleApps(request.view(), request.caller).flatMap((app) =>
        attachmentsIn(app).map((attachment) => ({ app, attachment })),
      ),
    ),
  ),
  route(attachmentEndpoints.list, (request) => {
    const app = request.app();
    return list(
      request,
      attachmentsIn(app).map((attachment) => ({ app, attachment })),
    );
  }),
  route(attachmentEndpoints.ofAddon, (request) =>
    list(
      request,
      attachmentsOf(request.view(), seenAddon(request).id).filter(({ app }) =>
        isAllowed(request.caller, 'view', app),
      ),
    ),
  ),
  route(attachmentEndpoints.create, create),
  route(attachmentEndpoints.show, (request) => ok(shown(request, found(request, null)))),
  route(attachmentEndpoints.info, (request) => ok(shown(request, found(request, request.app())))),
  route(attachmentEndpoints.destroy, destroy),
  route(attachmentEndpoints.resolve, resolve),
];

type Found = { readonly app: App; readonly attachment: Attachment };

function list(request: ApiRequest, all: readonly Found[]): Reply {
  return request.list(
    all.map((each) => shown(request, each)),
    ['name', 'id', 'created_at'],
  );
}

/** The asker may work with both apps: with the one that gives it away, and with the one that gets it. */
async function create(request: ApiRequest, body: BodyOf<typeof attachmentEndpoints.create>): Promise<Reply> {
  const app = request.appNamed(nameIn(body.app), 'operate');
  const addon = mustFindAddon(request.view(), app, nameIn(body.addon));
  if (!maySee(request, addon)) throw noAddon(nameIn(body.addon));
  mustOperate(request, addon);
  const id = request.freshId('attachment') as AttachmentId;
  const name = body.name ?? freeAttachmentName(app, addon.prefix, addon.service, id);
  await request.command({
    type: 'attachment.add',
    app: app.id,
    attachment: id,
    addon: addon.id,
    name,
    namespace: body.namespace ?? null,
    confirm: body.confirm ?? (body.force === true ? app.name : null),
    version: addon.configVersion,
    vars: request.api.addons.sealVars(addon, app.id, [{ name }]),
  });
  return created(shown(request, mustFind(request, null, id)));
}

async function destroy(request: ApiRequest): Promise<Reply> {
  const { app, attachment } = found(request, null);
  mustBeAllowed(request.caller, 'operate', app);
  const resource = shown(request, { app, attachment });
  await request.command({ type: 'attachment.remove', app: app.id, attachment: attachment.id });
  return ok(resource);
}

function resolve(request: ApiRequest, body: BodyOf<typeof attachmentEndpoints.resolve>): Reply {
  const app = body.app == null ? null : request.appNamed(body.app, 'view');
  const service = body.addon_service == null ? null : nameIn(body.addon_service);
  const all = resolveAttachments(request.view(), app, body.addon_attachment).filter(
    (each) =>
      isAllowed(request.caller, 'view', each.app) &&
      (service === null || findAddonById(request.view(), each.attachment.addon)?.service === service),
  );
  // The 404 of one that is not there.
  if (all.length === 0) mustFind(request, app, body.addon_attachment);
  return ok(all.map((each) => shown(request, each)));
}

function found(request: ApiRequest, app: App | null): Found {
  return mustFind(request, app, request.param('attachment'));
}

/** One in an app that the asker may see. */
function mustFind(request: ApiRequest, app: App | null, name: string): Found {
  return mustFindAttachment(request.view(), app, name, (each) => isAllowed(request.caller, 'view', each));
}

function shown(request: ApiRequest, { app, attachment }: Found): AttachmentResource {
  const addon = findAddonById(request.view(), attachment.addon);
  return attachmentResource(request.view(), app, attachment, addon === null ? null : webUrl(request, addon));
}
