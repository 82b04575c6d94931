import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { z } from 'zod';
import type { OpId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { Command, CommandContext } from '../../src/ledger/command.ts';
import type { View } from '../../src/ledger/view.ts';
import { mustBeAllowed } from '../../src/platform/access.ts';
import type { Caller } from '../../src/platform/access.ts';
import { mustFindApp } from '../../src/platform/app.ts';
import type { Permission } from '../../src/rights.ts';
import { grantOf } from '../../src/platform/grant.ts';
import type { Grant } from '../../src/platform/grant.ts';
import { uuidOf } from '../../src/platform/ids.ts';
import { parseParams } from '../../src/platform/parse-params.ts';
import { pageOf, parseRange } from '../../src/platform/range.ts';
import type { Rangeable } from '../../src/platform/range.ts';
import type { Addons } from '../../src/shell/addons.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { Builds, ClusterBuilds } from '../../src/shell/builds.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import type { Releases } from '../../src/shell/releases.ts';
import type { Logs } from '../../src/shell/logs.ts';
import type { LocalStack } from '../../src/shell/stack.ts';
import type { Volumes } from '../../src/shell/volumes.ts';
import type { Tasks } from '../lib/tasks.ts';
import type { AttachSessions } from './attach-sessions.ts';
import { parseJson } from './body.ts';
import type { BuildJobs } from './build-jobs.ts';
import type { LogSessions } from './log-sessions.ts';
import type { Reply } from './reply.ts';
import type { SlugUploads } from './slug-uploads.ts';
import type { OpenStreams } from './open-streams.ts';
import type { Sources } from './sources.ts';

/** What every handler works with: the peer, and the short-lived things that this server hands out URLs for. */
export type Api = {
  readonly host: PeerHost;
  readonly logs: Logs;
  readonly blobs: Blobs;
  readonly addons: Addons;
  readonly builds: Builds;
  readonly clusterBuilds: ClusterBuilds;
  readonly releases: Releases;
  readonly stack: LocalStack;
  readonly volumes: Volumes;
  readonly log: Logger;
  readonly tasks: Tasks;
  readonly webUrl: (app: App) => string;
  readonly attachSessions: AttachSessions;
  readonly buildJobs: BuildJobs;
  readonly logSessions: LogSessions;
  readonly openStreams: OpenStreams;
  readonly sources: Sources;
  readonly slugUploads: SlugUploads;
  /** Aborts when the server closes: streams then end cleanly. */
  readonly closing: AbortSignal;
};

/** Answers a request whose body was found good; null when it has written the response itself. Throws PlatformError. */
export type Handler<Body> = (request: ApiRequest, body: Body) => Promise<Reply | null> | Reply | null;

/** One request that was let in. */
export class ApiRequest {
  readonly api: Api;
  readonly context: CommandContext;
  /** Who asks, and what they may do: see `src/platform/access.ts`. */
  readonly caller: Caller;
  readonly message: IncomingMessage;
  /** As it was sent; null where the endpoint declares none, for it may be a stream. */
  readonly body: Buffer | null;
  readonly response: ServerResponse;
  /** What stands for `:name` in the route's path. */
  readonly params: Readonly<Record<string, string>>;
  /** `http://127.0.0.1:5000`: this server as the client reached it, so that URLs in answers work for it. */
  readonly baseUrl: string;

  constructor(
    fields: Pick<
      ApiRequest,
      'api' | 'context' | 'caller' | 'message' | 'body' | 'response' | 'params' | 'baseUrl'
    >,
  ) {
    this.api = fields.api;
    this.context = fields.context;
    this.caller = fields.caller;
    this.message = fields.message;
    this.body = fields.body;
    this.response = fields.response;
    this.params = fields.params;
    this.baseUrl = fields.baseUrl;
  }

  param(name: string): string {
    return this.params[name] ?? '';
  }

  /** The body, as an endpoint declares it. */
  read<Body>(schema: z.ZodType<Body> | null): Body {
    if (schema === null) return undefined as Body;
    return parseParams(schema, parseJson(this.body ?? Buffer.alloc(0)));
  }

  /** The cluster as it is now: ask again after a command. */
  view(): View {
    return this.api.host.view();
  }

  /** An app that a body names by id or name, if the asker may do this with it. */
  appNamed(idOrName: string, permission: Permission): App {
    const app = mustFindApp(this.view(), idOrName);
    mustBeAllowed(this.caller, permission, app);
    return app;
  }

  /** The app of the path, as it is now: ask again after a command. */
  app(): App {
    return mustFindApp(this.api.host.view(), this.param('app'));
  }

  /** What the asker may do with the app of the path now, for what is to end when they may not any more. */
  grant(permission: Permission): Grant {
    return grantOf(this.view(), this.caller, permission, this.app().id);
  }

  /** @returns ids of the ops that hold the result */
  command(command: Command): Promise<readonly OpId[]> {
    return this.api.host.command(command, this.context);
  }

  /** A UUID for what this request makes: a repeated request finds the same, at whichever peer it lands. */
  freshId(what: string): string {
    const { user, request } = this.context;
    if (request === null) return randomUUID();
    return uuidOf(what, JSON.stringify([user, request, this.message.url]));
  }

  /** A list, cut and sorted as the `Range` header asks. `fields`: what it may be sorted by, the default first. */
  list(items: readonly Rangeable[], fields: readonly string[]): Reply {
    const header = this.message.headers.range;
    const { items: body, status, headers } = pageOf(items, parseRange(header, fields), fields);
    return { status, body, headers };
  }
}

export function ok(body: unknown): Reply {
  return { status: 200, body };
}

export function created(body: unknown): Reply {
  return { status: 201, body };
}

export function accepted(body: unknown = {}): Reply {
  return { status: 202, body };
}
