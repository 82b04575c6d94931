import { PlatformError } from '../../src/errors.ts';
import type { Endpoint } from '../../src/platform/endpoint.ts';
import type { ApiRequest, Handler } from './api.ts';
import type { Reply } from './reply.ts';

export type Route = {
  readonly endpoint: Endpoint;
  /** Answers; null when it has written the response itself. Throws PlatformError. */
  readonly handle: (request: ApiRequest) => Promise<Reply | null>;
};

export type Match = { readonly route: Route; readonly params: Readonly<Record<string, string>> };

/** What an endpoint does here. Its body is read and checked before the handler sees it. */
export function route<Body>(endpoint: Endpoint<Body>, handler: Handler<Body>): Route {
  return {
    endpoint,
    handle: async (request) => handler(request, request.read(endpoint.body)),
  };
}

/** Finds the route of a method and path; of two that fit, the one that was given first. */
export class Router {
  readonly #routes: readonly { readonly route: Route; readonly segments: readonly string[] }[];

  constructor(routes: readonly Route[]) {
    this.#routes = routes.map((each) => ({ route: each, segments: each.endpoint.path.split('/') }));
  }

  /** @throws PlatformError `bad_request` for a path that cannot be decoded */
  match(method: string, path: string): Match | null {
    const segments = path.split('/').map(decodeSegment);
    for (const { route: candidate, segments: pattern } of this.#routes) {
      if (candidate.endpoint.method !== method || pattern.length !== segments.length) continue;
      const params = matchSegments(pattern, segments);
      if (params !== null) return { route: candidate, params };
    }
    return null;
  }
}

function matchSegments(
  pattern: readonly string[],
  segments: readonly string[],
): Readonly<Record<string, string>> | null {
  const params: Record<string, string> = {};
  for (const [i, wanted] of pattern.entries()) {
    const found = segments[i] ?? '';
    if (wanted.startsWith(':')) {
      if (found === '') return null;
      params[wanted.slice(1)] = found;
    } else if (wanted !== found) {
      return null;
    }
  }
  return params;
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw new PlatformError('bad_request', 'Cannot read the path: it has a broken percent-encoding', {
      cause,
    });
  }
}
