import type { App } from '../../../src/ledger/apps/app-types.ts';
import type { Release } from '../../../src/ledger/releases/release-types.ts';
import { checkConfigSize, configVars } from '../../../src/platform/config-vars.ts';
import type { ConfigVars } from '../../../src/platform/config-vars.ts';
import { mustFindRelease } from '../../../src/platform/release.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { configVarEndpoints } from '../../../src/platform/endpoints/config-vars.ts';
import { ok } from '../api.ts';
import type { Api, ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';

export const configVarRoutes = [
  route(configVarEndpoints.show, (request) => ok(currentVars(request.api, request.app()))),
  route(configVarEndpoints.update, patch),
  route(configVarEndpoints.ofRelease, (request) => {
    const app = request.app();
    return ok(clearText(request.api, app, mustFindRelease(app, request.param('release'))));
  }),
];

async function patch(request: ApiRequest, changes: BodyOf<typeof configVarEndpoints.update>): Promise<Reply> {
  const { api } = request;
  const app = request.app();
  checkConfigSize(currentVars(api, app), changes);
  const sealed = Object.entries(changes).map(
    ([key, value]) => [key, value === null ? null : api.host.seal(app.id, key, value)] as const,
  );
  if (sealed.length > 0) {
    await request.command({ type: 'config.patch', app: app.id, config: Object.fromEntries(sealed) });
  }
  return ok(currentVars(api, request.app()));
}

function currentVars(api: Api, app: App): ConfigVars {
  // What is set, whether or not a release that runs has it yet: a config change may wait for its release command.
  return clearText(api, app, app);
}

function clearText({ host }: Api, app: App, from: Pick<Release, 'config'>): ConfigVars {
  return configVars(from, (key, value) => host.open(app.id, key, value));
}
