import type { z } from 'zod';
import type { Permission } from '../rights.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * Who may ask: nobody in particular (the path itself is the secret, or there is none), any user, one of this role in the
 * cluster or a higher one, or a user with this permission on the app of the path.
 */
export type Need = 'nothing' | 'user' | 'viewer' | 'member' | 'admin' | Permission;

/** One thing that a peer can be asked, declared once: for the server, the CLI, the tests and the served documents. */
export type Endpoint<Body = unknown> = {
  readonly method: Method;
  /** `/apps/:app/releases`: a segment with a colon stands for any one segment. */
  readonly path: string;
  /** `Create a domain`. */
  readonly title: string;
  readonly needs: Need;
  /** What the JSON body must be; null where there is none, or where it is a stream of bytes. */
  readonly body: z.ZodType<Body> | null;
  /** Of the ordinary answer. */
  readonly status: 200 | 201 | 202;
  /** It tells config vars, or lets them be read: tokens of the scopes `read` and `write` do not reach it. */
  readonly isProtected: boolean;
  /** What it takes a token for, where method and `isProtected` do not say that: `src/platform/access.ts` has the table. */
  readonly scope: 'identity' | 'read' | 'global' | null;
  /** It answers with bytes as they come instead of JSON. */
  readonly isStream: boolean;
  /** Providers of add-ons may ask it, of add-ons of theirs. */
  readonly isForProviders: boolean;
};

/** The parsed body that an endpoint takes. */
export type BodyOf<E extends Endpoint> = E extends Endpoint<infer Body> ? Body : never;

type Fields<Body> = {
  readonly title: string;
  readonly needs: Need;
  readonly body?: z.ZodType<Body>;
  readonly status?: Endpoint['status'];
  readonly isProtected?: boolean;
  readonly scope?: NonNullable<Endpoint['scope']>;
  readonly isForProviders?: boolean;
  readonly isStream?: boolean;
};

export const get = (path: string, fields: Omit<Fields<never>, 'body'>): Endpoint<never> =>
  endpoint('GET', path, fields);
export const post = <Body = never>(path: string, fields: Fields<Body>): Endpoint<Body> =>
  endpoint('POST', path, { status: 201, ...fields });
export const put = <Body = never>(path: string, fields: Fields<Body>): Endpoint<Body> =>
  endpoint('PUT', path, fields);
export const patch = <Body = never>(path: string, fields: Fields<Body>): Endpoint<Body> =>
  endpoint('PATCH', path, fields);
export const del = <Body = never>(path: string, fields: Fields<Body>): Endpoint<Body> =>
  endpoint('DELETE', path, fields);

function endpoint<Body>(method: Method, path: string, fields: Fields<Body>): Endpoint<Body> {
  const { title, needs, body = null, status = 200 } = fields;
  const { isProtected = false, scope = null, isForProviders = false, isStream = false } = fields;
  return { method, path, title, needs, body, status, isProtected, scope, isForProviders, isStream };
}
