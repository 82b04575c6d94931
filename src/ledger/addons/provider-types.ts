import type { Sealed } from '../values.ts';

/** Who makes add-ons, as an admin registered it. */
export type ProviderManifest = {
  /** For people: `Acme Redis`. */
  readonly title: string;
  /** What its config vars begin with, and the name of a first attachment: `REDIS`. */
  readonly prefix: string;
  /** `REDIS_URL` */
  readonly configVars: readonly string[];
  readonly baseUrl: string;
  readonly ssoUrl: string | null;
  readonly password: Sealed;
  readonly ssoSalt: Sealed;
  readonly plans: readonly ProviderPlan[];
};

/** `cents` a month. */
export type ProviderPlan = {
  readonly name: string;
  readonly humanName: string;
  readonly description: string;
  readonly cents: number;
};

/** Who makes add-ons: services that an admin registered, and settings of those that are built in. */
export type ProviderBody =
  /** `manifest` is null for a built-in one, of which only the settings are written; each sealed by its name. */
  | {
      readonly kind: 'provider.set';
      readonly provider: string;
      readonly manifest: ProviderManifest | null;
      readonly settings: Readonly<Record<string, Sealed>>;
    }
  | { readonly kind: 'provider.remove'; readonly provider: string };

export type ProviderCommand =
  | {
      readonly type: 'provider.set';
      readonly provider: string;
      readonly manifest: ProviderManifest | null;
      readonly settings: Readonly<Record<string, Sealed>>;
    }
  | { readonly type: 'provider.remove'; readonly provider: string };

export type Provider = {
  readonly id: string;
  readonly manifest: ProviderManifest | null;
  readonly settings: Readonly<Record<string, Sealed>>;
  readonly setAt: number;
};

/** Names that its secrets are sealed by. */
export const PROVIDER_PASSWORD_KEY = 'provider password';
export const PROVIDER_SALT_KEY = 'provider sso salt';
