import { PlatformError } from '../../../src/errors.ts';
import type { PeerId } from '../../../src/ids.ts';
import { peerRef } from '../../../src/platform/peer-names.ts';
import { isoTime } from '../../../src/platform/time.ts';
import type { LogFilter } from '../../../src/logs/line.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { logSessionEndpoints } from '../../../src/platform/endpoints/log-sessions.ts';
import { created } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { streamLogs } from '../log-stream.ts';
import { reasonOf } from '../open-streams.ts';
import { route } from '../router.ts';

export const logSessionRoutes = [
  route(logSessionEndpoints.create, create),
  route(logSessionEndpoints.read, read),
];

const LINES_DEFAULT = 100;

async function create(
  request: ApiRequest,
  { lines, tail, source, dyno }: BodyOf<typeof logSessionEndpoints.create>,
): Promise<Reply> {
  const { session, secret } = request.api.logSessions.open({
    app: request.app().id,
    grant: request.grant('view'),
    lines: lines ?? LINES_DEFAULT,
    tail: tail ?? false,
    filter: filterOf(source ?? undefined, dyno ?? undefined),
  });
  return created({
    id: session.id,
    logplex_url: `${request.baseUrl}/log-sessions/${secret}`,
    created_at: isoTime(session.createdAt),
    updated_at: isoTime(session.createdAt),
  });
}

function filterOf(source: string | undefined, process: string | undefined): LogFilter {
  if (source === undefined || source === 'app' || source === 'heroku') return { source, process };
  throw new PlatformError('invalid_params', `Invalid parameter "source": there are no lines of "${source}"`, {
    hint: 'A source is "app" or "heroku"; see dyno for others, like "router" or "web.1"',
  });
}

async function read({ api, params, message, response }: ApiRequest): Promise<null> {
  const reading = api.logSessions.read(params.secret ?? '');
  if (reading === null) {
    throw new PlatformError('not_found', 'Cannot read the log: this session is over', {
      resource: 'log_session',
      hint: 'A session is good for six minutes after its last use: ask for the logs again',
    });
  }
  const lastEventId = message.headers['last-event-id'];
  const nameOf = (peer: PeerId): string => peerRef(api.host.view(), peer).name;
  using watch = api.openStreams.watch(reading.session.grant);
  try {
    if (watch.signal.aborted) throw reasonOf(watch.signal);
    const from = typeof lastEventId === 'string' ? lastEventId : undefined;
    await streamLogs(
      api.logs,
      reading.session,
      from,
      response,
      { closing: api.closing, ended: watch.signal },
      nameOf,
    );
  } finally {
    reading.release();
  }
  return null;
}
