import { PlatformError } from '../../../src/errors.ts';
import type { AddonId } from '../../../src/ids.ts';
import { findAddonById } from '../../../src/ledger/addons/attachments.ts';
import { parseLogplex } from '../../../src/logs/logplex.ts';
import { logInputEndpoints } from '../../../src/platform/endpoints/log-input.ts';
import { mayInputLogs } from '../../lib/log-input.ts';
import { accepted } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { readBody } from '../body.ts';
import { route } from '../router.ts';

export const logInputRoutes = [route(logInputEndpoints.input, input)];

const LINES_MAX = 1_500;

/** Lines become `app[SERVICE]` of the app that the add-on is billed to, at this peer. Whatever they say of their time, it is now. */
async function input(request: ApiRequest): Promise<Reply> {
  const { host, logs } = request.api;
  const id = request.param('addon') as AddonId;
  const addon = findAddonById(request.view(), id);
  if (addon === null || addon.state === 'deprovisioned') {
    throw new PlatformError('not_found', "Couldn't find that add on.", { resource: 'add_on' });
  }
  if (!mayInputLogs(host, id, request.message.headers.authorization)) {
    throw new PlatformError('unauthorized', 'There were no credentials in your `Authorization` header.', {
      hint: "Post to the add-on's own log_input_url, whole. It changes when a machine is removed: its provider asks `GET /addons/UUID` for it",
    });
  }
  const messages = parseLogplex(await readBody(request.message));
  if (messages === null || messages.length > LINES_MAX) {
    throw new PlatformError('bad_request', 'Cannot read the body: it is no application/logplex-1', {
      hint: `Send at most ${LINES_MAX} frames of RFC 5424, each behind its length in bytes`,
    });
  }
  for (const { text } of messages) {
    logs.append({ app: addon.app, source: 'app', process: addon.service, text });
  }
  return accepted({ lines: messages.length });
}
