import { PlatformError } from '../../src/errors.ts';
import type { Handler } from './api.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export type Route = {
  readonly method: Method;
  /** `/apps/:app/releases`: a segment with a colon stands for any one segment. */
  readonly path: string;
  readonly handler: Handler;
  /** Needs no token: the path itself is the secret, or there is none. */
  readonly isPublic: boolean;
};

export type Match = { readonly route: Route; readonly params: Readonly<Record<string, string>> };

export function route(method: Method, path: string, handler: Handler): Route {
  return { method, path, handler, isPublic: false };
}

export function publicRoute(method: Method, path: string, handler: Handler): Route {
  return { method, path, handler, isPublic: true };
}

/** Finds the route of a method and path; of two that fit, the one that was given first. */
export class Router {
  readonly #routes: readonly { readonly route: Route; readonly segments: readonly string[] }[];

  constructor(routes: readonly Route[]) {
    this.#routes = routes.map((each) => ({ route: each, segments: each.path.split('/') }));
  }

  /** @throws PlatformError `bad_request` for a path that cannot be decoded */
  match(method: string, path: string): Match | null {
    const segments = path.split('/').map(decodeSegment);
    for (const { route: candidate, segments: pattern } of this.#routes) {
      if (candidate.method !== method || pattern.length !== segments.length) continue;
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
