import type { AppId, CertId, OpId } from '../../ids.ts';
import type { Sealed } from '../values.ts';
import type { CertFacts } from './cert-types.ts';

/** Where the cluster orders certificates, and as whom. ACME is RFC 8555. */
export type AcmeSettings = {
  /** URL of the authority's directory. */
  readonly directory: string;
  /** Whom the authority may write to. */
  readonly email: string | null;
  /** PEM: who may vouch for the directory itself, beside those that everybody trusts. */
  readonly ca: string | null;
  /** The account's private key, PEM. */
  readonly key: Sealed;
};

/** What an authority looks for at `http://HOST/.well-known/acme-challenge/TOKEN`. No secret: anybody may read it there. */
export type AcmeChallenge = {
  readonly token: string;
  readonly authorization: string;
  /** Wall ms. An issuer that died leaves it behind. */
  readonly expiresAt: number;
};

/** Why a domain has no certificate, or no newer one. */
export type AcmFailure = {
  readonly reason: string;
  /** `failed`: so often that somebody should look; it is tried on all the same. */
  readonly status: 'failing' | 'failed';
  /** The authority wants to hear nothing before this, wall ms. */
  readonly notBefore: number | null;
};

/** In bodies and commands `domain` is the id of a domain: one that was removed and added again begins anew. */
export type AcmBody =
  | ({ readonly kind: 'acme.set' } & AcmeSettings)
  /** Whether an app's certificates are ordered; `on` once more asks to try now what failed. */
  | { readonly kind: 'acm.set'; readonly app: AppId; readonly on: boolean }
  /** All that are open for a domain. */
  | {
      readonly kind: 'acme.challenge';
      readonly app: AppId;
      readonly domain: string;
      readonly challenges: readonly AcmeChallenge[];
    }
  | {
      readonly kind: 'acm.fail';
      readonly app: AppId;
      readonly domain: string;
      readonly failure: AcmFailure | null;
    };

type OfDomain = { readonly app: AppId; readonly domain: string };

export type AcmCommand =
  | ({ readonly type: 'acme.set' } & AcmeSettings)
  | { readonly type: 'acm.set'; readonly app: AppId; readonly on: boolean }
  | ({ readonly type: 'acme.challenge'; readonly challenge: AcmeChallenge } & OfDomain)
  /** An order came to nothing. `over`: tokens of challenges that nobody will look for any more; here and below. */
  | ({ readonly type: 'acm.fail'; readonly failure: AcmFailure; readonly over: readonly string[] } & OfDomain)
  /** An order was filled. Who asks has checked that chain, key and facts belong together. */
  | ({
      readonly type: 'acm.issue';
      readonly cert: CertId;
      readonly name: string;
      readonly chain: string;
      readonly key: Sealed;
      readonly facts: CertFacts;
      readonly over: readonly string[];
    } & OfDomain);

/** `by` is the op. */
export type Acme = AcmeSettings & { readonly by: OpId; readonly setAt: number };

export type Acm = {
  readonly on: boolean;
  /** The op that asked for it, or asked again, last. */
  readonly ask: OpId | null;
  /** By the domain's id; one of which there is nothing to say is not here. */
  readonly domains: ReadonlyMap<string, AcmDomain>;
};

export type AcmDomain = {
  readonly challenges: readonly AcmeChallenge[];
  /** Of the last order; null after one that was filled. `at`: wall ms. */
  readonly failure: (AcmFailure & { readonly at: number }) | null;
};
