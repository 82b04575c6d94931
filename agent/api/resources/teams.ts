import { PlatformError } from '../../../src/errors.ts';
import type { User } from '../../../src/ledger/access/access-types.ts';
import { visibleApps } from '../../../src/platform/access.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { teamEndpoints } from '../../../src/platform/endpoints/teams.ts';
import {
  PERMISSION_RESOURCES,
  TEAM_FEATURES,
  findMember,
  memberResource,
  membersOf,
  teamRef,
  teamResource,
} from '../../../src/platform/team.ts';
import { ok } from '../api.ts';
import type { ApiRequest, Handler } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';
import { createApp, destroyApp, presentApp } from './apps.ts';
import { transferApp } from './collaborators.ts';

/** The cluster as one team. Fixed words come before `:team`: the first route that fits is taken. */
export const teamRoutes = [
  route(teamEndpoints.list, (request) => ok([show(request)])),
  route(teamEndpoints.permissions, () => ok(PERMISSION_RESOURCES)),
  route(teamEndpoints.createApp, createTeamApp),
  route(teamEndpoints.allApps, apps),
  route(teamEndpoints.app, (request) => ok(presentTeamApp(request))),
  route(teamEndpoints.updateApp, updateTeamApp),
  route(teamEndpoints.destroyApp, destroyApp),
  route(
    teamEndpoints.info,
    ofTeam((request) => ok(show(request))),
  ),
  route(teamEndpoints.apps, ofTeam(apps)),
  route(
    teamEndpoints.features,
    ofTeam(() => ok(TEAM_FEATURES)),
  ),
  // Who is given a role has it: nobody is asked first.
  route(
    teamEndpoints.invitations,
    ofTeam(() => ok([])),
  ),
  route(
    teamEndpoints.members,
    ofTeam((request) => ok(membersOf(request.view()).map(memberResource))),
  ),
  route(teamEndpoints.putMember, ofTeam(setMember)),
  route(teamEndpoints.updateMember, ofTeam(updateMember)),
  route(teamEndpoints.removeMember, ofTeam(removeMember)),
];

function show({ api, caller }: ApiRequest) {
  return teamResource(api.host.view(), caller.role);
}

/** The handler, of a path whose `:team` is this cluster by name or id. */
function ofTeam<Body>(handler: Handler<Body>): Handler<Body> {
  return (request, body) => {
    mustBeTeam(request, request.param('team'));
    return handler(request, body);
  };
}

function mustBeTeam(request: ApiRequest, asked: string): void {
  const { id, name } = teamRef(request.view());
  if (asked === name || asked === id) return;
  throw new PlatformError('not_found', `Couldn't find the team "${asked}".`, {
    resource: 'team',
    hint: `The cluster is the one team: "${name}"`,
  });
}

function apps(request: ApiRequest): Reply {
  const found = visibleApps(request.view(), request.caller).map((app) => presentApp(request, app));
  return request.list(found, ['name', 'id', 'updated_at']);
}

async function createTeamApp(
  request: ApiRequest,
  { name, team }: BodyOf<typeof teamEndpoints.createApp>,
): Promise<Reply> {
  if (team != null) mustBeTeam(request, team);
  return createApp(request, { name });
}

function presentTeamApp(request: ApiRequest) {
  return { ...presentApp(request, request.app()), locked: false, joined: true };
}

async function updateTeamApp(
  request: ApiRequest,
  { owner, locked }: BodyOf<typeof teamEndpoints.updateApp>,
): Promise<Reply> {
  const app = request.app();
  if (locked === true) {
    throw new PlatformError(
      'invalid_params',
      `Cannot lock "${app.name}": nobody can join an app by themselves here`,
    );
  }
  if (owner != null) {
    if (owner === request.view().clusterName.toLowerCase()) {
      throw new PlatformError(
        'invalid_params',
        `Cannot transfer "${app.name}" to "${owner}": that is the cluster`,
        {
          hint: 'Name a user: every app has one as its owner, and all are of this one team',
        },
      );
    }
    await transferApp(request, app, owner);
  }
  return ok(presentTeamApp(request));
}

async function setMember(
  request: ApiRequest,
  { email, role }: BodyOf<typeof teamEndpoints.putMember>,
): Promise<Reply> {
  await request.command({ type: 'user.set', user: email, role });
  return ok(memberResource(mustFindMember(request, email)));
}

async function updateMember(
  request: ApiRequest,
  body: BodyOf<typeof teamEndpoints.updateMember>,
): Promise<Reply> {
  mustFindMember(request, body.email);
  return setMember(request, body);
}

async function removeMember(request: ApiRequest): Promise<Reply> {
  const member = mustFindMember(request, request.param('member'));
  await request.command({ type: 'user.set', user: member.user, role: null });
  return ok(memberResource(member));
}

function mustFindMember(request: ApiRequest, asked: string): User {
  const found = findMember(request.view(), asked);
  if (found !== null) return found;
  throw new PlatformError('not_found', `Couldn't find the member "${asked}".`, {
    resource: 'member',
    hint: '`kith members` lists them',
  });
}
