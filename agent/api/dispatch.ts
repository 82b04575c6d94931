import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PlatformError } from '../../src/errors.ts';
import type { CommandContext } from '../../src/ledger/command.ts';
import type { UserEmail } from '../../src/ledger/values.ts';
import {
  NOBODY,
  authorize,
  callerOf,
  localCaller,
  mustBeAllowed,
  mustBeInScope,
  providerCaller,
} from '../../src/platform/access.ts';
import type { Caller } from '../../src/platform/access.ts';
import { mustFindApp } from '../../src/platform/app.ts';
import { grantOf } from '../../src/platform/grant.ts';
import { noSuchEndpoint } from '../../src/platform/not-offered.ts';
import type { GitServer } from '../../src/shell/builds.ts';
import { requestMark } from '../../src/ledger/request-stamp.ts';
import { ApiRequest, ok } from './api.ts';
import type { Api } from './api.ts';
import type { Reply } from './reply.ts';
import { readBody } from './body.ts';
import { authenticate, unauthorized } from './auth.ts';
import { etagOf, mustMatch } from './conditional.ts';
import { RecentReplies } from './recent-replies.ts';
import { sendError, sendGitError, sendReply, toPlatformError } from './respond.ts';
import { Router } from './router.ts';
import type { Match, Route } from './router.ts';

const GIT_PATH = /^\/([^/]+)\.git(?:\/|$)/;
// Code holds no config; as on Heroku, whoever may fetch it may push it.
const GIT_USE = { needs: 'deploy', scope: null, isProtected: false } as const;
const REQUEST_ID_PATTERN = /^[A-Za-z0-9_-]{8,200}$/;
const HOST_PATTERN = /^[A-Za-z0-9.-]{1,253}(?::\d{1,5})?$|^\[[0-9a-fA-F:.]{2,45}\](?::\d{1,5})?$/;
const OVERRIDES = new Set(['GET', 'PUT', 'PATCH', 'DELETE']);

/** How a request came in: over the network, where a token is needed, or the local socket, which only its owner opens. */
export type Door = { readonly user: UserEmail | null; readonly fallbackUrl: () => string };

/** Takes every request of the API and of git to its handler, and every outcome to its response. */
export class Dispatcher {
  readonly #api: Api;
  readonly #git: GitServer;
  readonly #router: Router;
  readonly #replies = new RecentReplies();

  constructor(api: Api, git: GitServer, routes: readonly Route[]) {
    this.#api = api;
    this.#git = git;
    this.#router = new Router(routes);
  }

  /** Never rejects: whatever goes wrong becomes the response. */
  async handle(message: IncomingMessage, response: ServerResponse, door: Door): Promise<void> {
    // A client that leaves is no news to anybody but whoever was writing to it.
    response.on('error', (err) => this.#api.log.debug({ err }, 'client left'));
    const asked = requestIdOf(message);
    const requestId = asked ?? randomUUID();
    response.setHeader('Request-Id', requestId);
    response.setHeader('RateLimit-Remaining', '4500');
    const path = (message.url ?? '').split('?', 1)[0] ?? '';
    const isGit = GIT_PATH.test(path);
    try {
      if (isGit) await this.#handleGit(message, response, door, path);
      else await this.#handleApi(message, response, door, path, asked);
    } catch (error) {
      const known = toPlatformError(error);
      if (known.code === 'internal' && !response.destroyed) {
        this.#api.log.error({ requestId, method: message.method, path, err: error }, 'request failed');
      }
      if (isGit) sendGitError(message, response, known);
      else sendError(message, response, known);
    }
  }

  async #handleGit(
    message: IncomingMessage,
    response: ServerResponse,
    door: Door,
    path: string,
  ): Promise<void> {
    const caller = this.#authenticate(message, door);
    const app = mustFindApp(this.#api.host.view(), GIT_PATH.exec(path)?.[1] ?? '');
    const isPush = (message.url ?? '').includes('git-receive-pack');
    mustBeInScope(caller, { ...GIT_USE, method: isPush ? 'POST' : 'GET' });
    mustBeAllowed(caller, GIT_USE.needs, app);
    using watch = this.#api.openStreams.watch(grantOf(this.#api.host.view(), caller, GIT_USE.needs, app.id));
    await this.#git.handle(message, response, { app, user: caller.user, ended: watch.signal });
  }

  async #handleApi(
    message: IncomingMessage,
    response: ServerResponse,
    door: Door,
    path: string,
    requestId: string | null,
  ): Promise<void> {
    const method = methodOf(message);
    const match = this.#router.match(method, path);
    const needs = match?.route.endpoint.needs;
    const caller = needs === 'nothing' ? NOBODY : this.#authenticate(message, door);
    checkAccept(message.headers.accept);
    if (match === null) throw noSuchEndpoint(method, path);
    authorize(this.#api.host.view(), caller, match.route.endpoint, match.params);
    const body = match.route.endpoint.body === null ? null : await readBody(message);
    // It may have come slowly: by now the name in the path may be another app's.
    if (body !== null) authorize(this.#api.host.view(), caller, match.route.endpoint, match.params);
    const asked = requestId === null ? null : requestKey(requestId, method, message.url, body);
    const request = new ApiRequest({
      api: this.#api,
      context: { user: caller.user, request: asked },
      caller,
      body,
      message,
      response,
      params: match.params,
      baseUrl: baseUrlOf(message, door),
    });
    if (message.headers['if-match'] !== undefined) await this.#mustMatch(request, path);
    const reply = await this.#answer(match, request, path);
    if (reply !== null) sendReply(message, response, reply);
  }

  /**
   * Compares what is asked to be changed with what a `GET` of it gives now, here: another peer may be changing it at this
   * moment, as nobody holds a lock.
   */
  async #mustMatch(request: ApiRequest, path: string): Promise<void> {
    const shown = this.#router.match('GET', path);
    const isShown = shown !== null && !shown.route.endpoint.isStream;
    if (isShown) authorize(request.view(), request.caller, shown.route.endpoint, shown.params);
    const reply = isShown ? await shown.route.handle(request) : null;
    mustMatch(request.message, reply === null ? null : etagOf(JSON.stringify(reply.body)));
  }

  async #answer({ route }: Match, request: ApiRequest, path: string): Promise<Reply | null> {
    const { context } = request;
    const handle = (): Promise<Reply | null> => route.handle(request);
    // Of strangers nobody knows whether they are the same one: each shows what it knows anew, and is answered by that.
    if (context.request === null || route.endpoint.needs === 'nothing') return handle();
    switch (route.endpoint.method) {
      case 'POST':
        return this.#replies.once(JSON.stringify([context.user, path, context.request]), handle);
      case 'DELETE':
        return handle().catch((error: unknown) => {
          if (isGone(error) && this.#wasMade(context)) return ok({});
          throw error;
        });
      default:
        return handle(); // What shall be is written once, and told as it is now.
    }
  }

  /** Whether another peer, or this one long ago, took this very request: its answer was lost on the way. */
  #wasMade({ user, request }: CommandContext): boolean {
    return request !== null && this.#api.host.view().requests.has(requestMark(request, user));
  }

  #authenticate(message: IncomingMessage, door: Door): Caller {
    if (door.user !== null) return localCaller(door.user);
    const view = this.#api.host.view();
    const token = authenticate(message.headers.authorization, view.tokens.values(), Date.now());
    if (token !== null) return callerOf(view, token);
    const address = message.socket.remoteAddress ?? '';
    const provider = this.#api.addons.authenticate(message.headers.authorization, address);
    if (provider === null) throw unauthorized();
    return providerCaller(provider);
  }
}

function isGone(error: unknown): boolean {
  return error instanceof PlatformError && error.code === 'not_found';
}

/** The first id of the header is this request's; clients list earlier ones after it. */
function requestIdOf(message: IncomingMessage): string | null {
  const header = message.headers['request-id'];
  const first = (Array.isArray(header) ? header[0] : header)?.split(',', 1)[0]?.trim() ?? '';
  return REQUEST_ID_PATTERN.test(first) ? first : null;
}

/**
 * What makes a request the one it is. The id alone does not: the official CLI gives one id to all requests that it sends
 * at once, and those differ in what they ask.
 */
function requestKey(id: string, method: string, url: string | undefined, body: Buffer | null): string {
  const hash = createHash('sha256').update(JSON.stringify([id, method, url]));
  return hash.update(body ?? '').digest('base64url');
}

function methodOf(message: IncomingMessage): string {
  const method = message.method ?? 'GET';
  const override = message.headers['x-http-method-override'];
  if (method === 'POST' && typeof override === 'string' && OVERRIDES.has(override.toUpperCase())) {
    return override.toUpperCase();
  }
  return method === 'HEAD' ? 'GET' : method;
}

/** Version 3 with any suffix (`3.sdk`), or none named at all. */
function checkAccept(accept: string | undefined): void {
  const version = /application\/vnd\.heroku\+json\s*;\s*version=([^;,\s]+)/.exec(accept ?? '')?.[1];
  if (version === undefined || /^3(\.|$)/.test(version)) return;
  throw new PlatformError('not_acceptable', `Cannot answer in version "${version.slice(0, 50)}" of the API`, {
    hint: 'Ask for `application/vnd.heroku+json; version=3`',
  });
}

/** This server as the client reached it, so that the URLs in our answers work for it, whatever is in between. */
function baseUrlOf(message: IncomingMessage, door: Door): string {
  const host = message.headers.host ?? '';
  if (door.user !== null || !HOST_PATTERN.test(host)) return door.fallbackUrl();
  const scheme = 'encrypted' in message.socket ? 'https' : 'http';
  return URL.canParse(`${scheme}://${host}`) ? `${scheme}://${host}` : door.fallbackUrl();
}
