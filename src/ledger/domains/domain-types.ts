import type { AppId, CertId } from '../../ids.ts';

/** Host names of an app, beside the one that it has by its name. */
export type DomainBody =
  | { readonly kind: 'domain.add'; readonly app: AppId; readonly hostname: string; readonly domain: string }
  | { readonly kind: 'domain.remove'; readonly app: AppId; readonly hostname: string }
  /** `domain` is the domain's id; a null `cert`: whichever fits. */
  | {
      readonly kind: 'domain.update';
      readonly app: AppId;
      readonly domain: string;
      readonly cert: CertId | null;
    };

export type DomainCommand =
  /** `cert`: what it is to be served with; absent or null: whatever fits. */
  | {
      readonly type: 'domain.add';
      readonly app: AppId;
      readonly hostname: string;
      readonly domain: string;
      readonly cert?: CertId | null;
    }
  | {
      readonly type: 'domain.update';
      readonly app: AppId;
      readonly hostname: string;
      readonly cert: CertId | null;
    }
  | { readonly type: 'domain.remove'; readonly app: AppId; readonly hostname: string };

export type Domain = {
  readonly hostname: string;
  readonly domain: string;
  readonly createdAt: number;
  /** What it is to be served with before all others; null: whichever of the app's certificates fits. */
  readonly cert: CertId | null;
};
