import { randomInt } from 'node:crypto';
import { mustBeOpenToAll } from '../../../src/builds/buildpack-choice.ts';
import { PlatformError } from '../../../src/errors.ts';
import type { AppId, BlobId, SetupId } from '../../../src/ids.ts';
import type { ReviewOf } from '../../../src/ledger/pipelines/pipeline-types.ts';
import { isAllowed } from '../../../src/platform/access.ts';
import { randomAppName } from '../../../src/platform/app-names.ts';
import { appSetupResource, mustFindSetup } from '../../../src/platform/app-setup.ts';
import type { AppSetupResource, SetUp } from '../../../src/platform/app-setup.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { appSetupEndpoints } from '../../../src/platform/endpoints/app-setups.ts';
import { grantOf } from '../../../src/platform/grant.ts';
import { STACK_NAME } from '../../../src/platform/stack.ts';
import { accepted, ok } from '../api.ts';
import type { Api, ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { streamOutput } from '../output-stream.ts';
import { route } from '../router.ts';

export const appSetupRoutes = [
  route(appSetupEndpoints.create, create),
  route(appSetupEndpoints.info, (request) => ok(present(request, mustFind(request)))),
  route(appSetupEndpoints.output, output),
];

/** On other peers: whoever takes the setup over finds its archive there. */
const COPIES = 2;
const REPLICATE_MS = 60_000;

async function create(request: ApiRequest, body: BodyOf<typeof appSetupEndpoints.create>): Promise<Reply> {
  const stack = body.app?.stack ?? STACK_NAME;
  if (stack !== STACK_NAME) {
    throw new PlatformError('invalid_params', `Cannot make an app on the stack "${stack}"`, {
      hint: `The stack here is "${STACK_NAME}"`,
    });
  }
  const buildpacks = body.overrides?.buildpacks ?? null;
  if (buildpacks !== null && request.caller.role !== 'admin') mustBeOpenToAll(buildpacks, []);
  const made = await startSetup(request, {
    source: body.source_blob,
    name: body.app?.name ?? null,
    env: body.overrides?.env ?? {},
    buildpacks,
    review: null,
  });
  return accepted(present(request, made));
}

/** Takes the archive, and writes what is to become of it: some peer will do it. */
export async function startSetup(
  request: ApiRequest,
  asked: {
    readonly source: BodyOf<typeof appSetupEndpoints.create>['source_blob'];
    readonly name: string | null;
    readonly env: Readonly<Record<string, string>>;
    readonly buildpacks: readonly string[] | null;
    readonly review: ReviewOf | null;
  },
): Promise<SetUp> {
  const { api } = request;
  const app = request.freshId('app') as AppId;
  const setup = request.freshId('app-setup') as SetupId;
  const source = await api.sources.keep(asked.source.url, asked.source.checksum ?? null);
  await replicate(api, source);
  const env = Object.entries(asked.env).map(([key, value]) => [key, api.host.seal(app, key, value)] as const);
  const { name, buildpacks, review } = asked;
  const version = asked.source.version ?? null;
  const build = request.freshId('build');
  try {
    await request.command({
      type: 'setup.create',
      app,
      name,
      fallbackName: randomAppName([random(), random(), random()]),
      setup: { setup, build, source, version, env: Object.fromEntries(env), buildpacks, review },
    });
  } catch (error) {
    // Refused, and not just unanswered: whoever asks for a name that is taken leaves no archive behind.
    if (error instanceof PlatformError && error.status < 500) await api.sources.drop(source);
    throw error;
  }
  return mustFindSetup(request.view(), setup, 'app_setup');
}

async function replicate({ host, blobs }: Api, id: BlobId): Promise<void> {
  const others = host
    .peers()
    .filter(({ peer, verdict }) => peer !== host.self && verdict === 'alive')
    .map(({ peer }) => peer);
  await blobs.replicate(id, others, COPIES, AbortSignal.timeout(REPLICATE_MS));
}

async function output(request: ApiRequest): Promise<null> {
  const { api, response } = request;
  const { setup, app } = mustFind(request);
  using watch = api.openStreams.watch(grantOf(request.view(), request.caller, 'view', app.id));
  const left = new AbortController();
  response.once('close', () => left.abort());
  const found = await api.clusterBuilds.read(setup.build, AbortSignal.any([api.closing, left.signal]));
  if (found === null) {
    throw new PlatformError('not_found', 'The build of this setup has not been started yet.', {
      resource: 'build',
      hint: 'Try again in a moment',
    });
  }
  await streamOutput(found, response, { closing: api.closing, ended: watch.signal });
  return null;
}

function mustFind(request: ApiRequest): SetUp {
  const found = mustFindSetup(request.view(), request.param('setup'), 'app_setup');
  if (found.setup.user === request.context.user || isAllowed(request.caller, 'view', found.app)) return found;
  throw new PlatformError('forbidden', `You do not have access to the app ${found.app.name}.`, {
    resource: 'app',
  });
}

export function present({ api, baseUrl }: ApiRequest, made: SetUp): AppSetupResource {
  const output = `${baseUrl}/app-setups/${made.setup.setup}/output`;
  return appSetupResource(made, { output, web: api.webUrl(made.app) });
}

const random = (): number => randomInt(2 ** 32) / 2 ** 32;
