import type { AppId } from '../ids.ts';
import type { View } from '../ledger/view.ts';
import type { Permission } from '../rights.ts';
import { callerOf, isAllowed } from './access.ts';
import type { Caller } from './access.ts';
import { isExpired } from './token.ts';

/** By what somebody was let in, so that it can be asked later whether they still would be. */
export type Entry = {
  /** By its id and its hash, which another token under that id would not have; null: the local socket, which needs none. */
  readonly token: { readonly id: string; readonly hash: string } | null;
};

/** The same, where it was for something of an app. */
export type Grant = Entry & { readonly app: AppId; readonly permission: Permission };

/** By what a caller is let in at this moment. */
export function entryOf(view: View, { token }: Caller): Entry {
  return { token: token === null ? null : { id: token, hash: view.tokens.get(token)?.hash ?? '' } };
}

/** What a caller was let in for at this moment. */
export function grantOf(view: View, caller: Caller, permission: Permission, app: AppId): Grant {
  return { ...entryOf(view, caller), app, permission };
}

/**
 * Why somebody would not be let in any more, as a sentence's end; null: they would.
 * @param now this peer's clock, wall ms
 */
export function whyEnded(view: View, entry: Entry | Grant, now: number): string | null {
  const { token } = entry;
  if (token === null) return null;
  const known = view.tokens.get(token.id);
  if (known === undefined || known.revoked || known.hash !== token.hash) {
    return 'the token that it was opened with was revoked';
  }
  if (isExpired(known, now)) return 'the token that it was opened with has expired';
  if (!('app' in entry)) return null;
  const { app: id, permission } = entry;
  const app = view.apps.get(id);
  // What is of an app that is gone ends by itself.
  if (app === undefined || app.destroyed || isAllowed(callerOf(view, known), permission, app)) return null;
  return `${known.user} may not ${permission} the app ${app.name} any more`;
}
