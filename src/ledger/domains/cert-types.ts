import type { AppId, CertId } from '../../ids.ts';
import type { Sealed } from '../values.ts';

/** What a certificate says of itself: read once, from its chain, when it is added. Times are wall ms. */
export type CertFacts = {
  /** Host names it is for, lower case: `www.example.com`, `*.example.com`. */
  readonly names: readonly string[];
  readonly startsAt: number;
  readonly expiresAt: number;
  readonly issuer: string;
  readonly subject: string;
  /** Whether its chain ends at an authority that browsers know. */
  readonly trusted: boolean;
};

/** A certificate, and what it is called. */
export type CertContent = {
  /** `otter-48213` */
  readonly name: string;
  readonly displayName: string | null;
  /** PEM, the app's own first. */
  readonly chain: string;
  readonly key: Sealed;
  readonly facts: CertFacts;
};

/** Certificates that an app is served with. */
export type CertBody =
  /** Written again with another one in its place. */
  | ({
      readonly kind: 'cert.set';
      readonly app: AppId;
      readonly cert: CertId;
      /** Id of the domain that it was ordered for; absent: somebody added it. */
      readonly acm?: string;
    } & CertContent)
  | { readonly kind: 'cert.remove'; readonly app: AppId; readonly cert: CertId };

export type CertCommand =
  /** Of a new id: another certificate. Who asks has checked that chain, key and facts belong together. */
  | ({ readonly type: 'cert.set'; readonly app: AppId; readonly cert: CertId } & CertContent)
  | { readonly type: 'cert.remove'; readonly app: AppId; readonly cert: CertId };

/** A certificate that an app is served with, with its sealed private key. Heroku calls it an SNI endpoint. */
export type Cert = CertContent & {
  readonly id: CertId;
  /** Id of the domain that it was ordered for; null: somebody added it. */
  readonly acm: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
};
