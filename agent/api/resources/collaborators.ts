import { PlatformError } from '../../../src/errors.ts';
import type { App } from '../../../src/ledger/apps/app-types.ts';
import { mustBeAllowed, roleOf } from '../../../src/platform/access.ts';
import { userResource } from '../../../src/platform/account.ts';
import { appRef } from '../../../src/platform/app.ts';
import { collaboratorsOf, findCollaborator } from '../../../src/platform/collaborator.ts';
import type { CollaboratorResource } from '../../../src/platform/collaborator.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import {
  collaboratorEndpoints,
  teamCollaboratorEndpoints,
  transferEndpoints,
} from '../../../src/platform/endpoints/collaborators.ts';
import { uuidOf } from '../../../src/platform/ids.ts';
import { isoTime } from '../../../src/platform/time.ts';
import { PERMISSIONS_DEFAULT, sameUser } from '../../../src/rights.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';

export const collaboratorRoutes = [collaboratorEndpoints, teamCollaboratorEndpoints].flatMap((endpoints) => [
  route(endpoints.list, (request) => ok(collaboratorsOf(request.view(), request.app()))),
  route(endpoints.create, create),
  route(endpoints.info, (request) => ok(mustFind(request, request.app()))),
  route(endpoints.update, update),
  route(endpoints.remove, remove),
]);

export const transferRoutes = [
  // A transfer is done when it is asked for: none ever waits for its recipient.
  route(transferEndpoints.list, () => ok([])),
  route(transferEndpoints.create, transfer),
];

async function create(
  request: ApiRequest,
  { user, permissions }: BodyOf<typeof collaboratorEndpoints.create>,
): Promise<Reply> {
  const app = request.app();
  if (app.collaborators.has(user)) {
    throw new PlatformError(
      'invalid_params',
      `Cannot add "${user}": they are a collaborator on "${app.name}"`,
      {
        hint: '`kith access:update` changes what they may do',
      },
    );
  }
  const given = permissions ?? PERMISSIONS_DEFAULT;
  await request.command({ type: 'collaborator.set', app: app.id, user, permissions: given });
  return created(mustFind(request, request.app(), user));
}

async function update(
  request: ApiRequest,
  { permissions }: BodyOf<typeof collaboratorEndpoints.update>,
): Promise<Reply> {
  const app = request.app();
  const { user } = mustFind(request, app);
  await request.command({ type: 'collaborator.set', app: app.id, user: user.email, permissions });
  return ok(mustFind(request, request.app(), user.email));
}

/** Anybody may leave; to shut out another takes `manage`. */
async function remove(request: ApiRequest): Promise<Reply> {
  const app = request.app();
  const found = mustFind(request, app);
  if (!sameUser(found.user.email, request.caller.user)) mustBeAllowed(request.caller, 'manage', app);
  await request.command({
    type: 'collaborator.set',
    app: app.id,
    user: found.user.email,
    permissions: null,
  });
  return ok(found);
}

function mustFind(request: ApiRequest, app: App, asked = request.param('user')): CollaboratorResource {
  const found = findCollaborator(request.view(), app, asked);
  if (found !== null) return found;
  throw new PlatformError('not_found', `Couldn't find the collaborator "${asked}" of "${app.name}".`, {
    resource: 'collaborator',
    hint: '`kith access` lists them',
  });
}

async function transfer(
  request: ApiRequest,
  { app: asked, recipient }: BodyOf<typeof transferEndpoints.create>,
): Promise<Reply> {
  const app = request.appNamed(asked, 'manage');
  await transferApp(request, app, recipient);
  const now = isoTime(Date.now());
  return created({
    id: uuidOf('app transfer', `${app.id}/${app.owner}/${recipient}`),
    app: appRef(app),
    owner: userResource(app.owner),
    recipient: userResource(recipient),
    state: 'accepted',
    created_at: now,
    updated_at: now,
  });
}

/** Gives an app to a user who is known here: to others it would be lost. */
export async function transferApp(request: ApiRequest, app: App, to: string): Promise<void> {
  const isKnown = roleOf(request.view(), to) !== null || sameUser(to, request.caller.user);
  if (!isKnown) {
    throw new PlatformError(
      'invalid_params',
      `Cannot transfer "${app.name}" to "${to}": there is no such user here`,
      {
        hint: '`kith members` lists users; `kith tokens:create` makes one',
      },
    );
  }
  await request.command({ type: 'app.transfer', app: app.id, to });
}
