import { Readable } from 'node:stream';
import { PlatformError } from '../../../src/errors.ts';
import type { Addon } from '../../../src/ledger/addons/addon-types.ts';
import { nextAddonStep } from '../../../src/ledger/addons/addon-work.ts';
import { mustBeAllowed } from '../../../src/platform/access.ts';
import { addonDataEndpoints } from '../../../src/platform/endpoints/addon-data.ts';
import { grantOf } from '../../../src/platform/grant.ts';
import type { Permission } from '../../../src/rights.ts';
import { accepted, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import { bodyUntil } from '../body-until.ts';
import { download } from '../download.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';
import { mustAddon, seenAddon, shown } from './addons.ts';
import { inView } from './in-view.ts';

export const addonDataRoutes = [
  route(addonDataEndpoints.rotate, rotate),
  route(addonDataEndpoints.dump, dump),
  route(addonDataEndpoints.restore, restore),
];

const ROTATE_WAIT_MS = 25_000;
// Of a transfer nobody knows how long it takes, only that it moves.
const SILENCE_MS = 150_000;

/** Answers once apps have them, in the ordinary case; what is left is done by whoever's duty it is. */
async function rotate(request: ApiRequest): Promise<Reply> {
  const addon = ownAddon(request, 'operate');
  if (!request.api.addons.rotates(addon.service)) {
    throw new PlatformError(
      'invalid_params',
      `Cannot rotate the credentials of "${addon.name}": "${addon.service}" does not offer that`,
    );
  }
  const before = addon.configVersion;
  await request.command({ type: 'addon.rotate', app: addon.app, addon: addon.id });
  const isReleased = (): boolean => {
    const now = mustAddon(request, addon.id);
    const step = nextAddonStep(request.view(), now);
    return now.configVersion !== before && (step === null || step.do === 'end-rotation');
  };
  await inView(request, ROTATE_WAIT_MS, isReleased);
  const answer = shown(request, mustAddon(request, addon.id));
  return isReleased() ? ok(answer) : accepted(answer);
}

/** As with config vars: whoever may read the address may read what is there. */
async function dump(request: ApiRequest): Promise<null> {
  const { api, response } = request;
  const addon = ownAddon(request, 'deploy');
  using watch = api.openStreams.watch(grantOf(request.view(), request.caller, 'deploy', addon.app));
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, api.closing, watch.signal]);
  const chunks = await api.addons.dump(addon, signal);
  const what = { what: 'dump of an add-on', type: 'application/octet-stream' };
  await download(request, Readable.from(chunks), { ...what, ended: watch.signal });
  return null;
}

async function restore(request: ApiRequest): Promise<Reply> {
  const { api, message, response } = request;
  const addon = ownAddon(request, 'operate');
  using watch = api.openStreams.watch(grantOf(request.view(), request.caller, 'operate', addon.app));
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  message.socket.setTimeout(SILENCE_MS, () => message.socket.destroy());
  const chunks = bodyUntil(watch.signal, message);
  try {
    const signal = AbortSignal.any([gone.signal, api.closing, watch.signal]);
    await api.addons.restore(addon, untimed(request, chunks), signal);
  } finally {
    message.socket.setTimeout(0);
    chunks.destroy();
  }
  return ok(shown(request, addon));
}

/** Once all of it is here the socket may be silent for long. */
async function* untimed(
  { message }: ApiRequest,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* chunks;
  message.socket.setTimeout(0);
}

/** The add-on of the path, if it is ready and the asker may do this with the app that owns it. */
function ownAddon(request: ApiRequest, permission: Permission): Addon {
  const addon = seenAddon(request);
  const owner = request.view().apps.get(addon.app);
  if (owner !== undefined) mustBeAllowed(request.caller, permission, owner);
  if (addon.state === 'provisioned') return addon;
  throw new PlatformError('conflict', `"${addon.name}" is ${addon.state}`, {
    hint: 'Try again when `addons:info` shows it provisioned',
  });
}
