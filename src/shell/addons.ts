import type { AddonId, AppId } from '../ids.ts';
import type { Addon } from '../ledger/addons/addon-types.ts';
import type { ProviderManifest } from '../ledger/addons/provider-types.ts';
import type { Sealed } from '../ledger/values.ts';
import type { AddonService } from './addon-provider.ts';

/** A provider as it showed itself: by its password, or by a token that is good for one add-on alone. */
export type ProviderCaller = { readonly service: string; readonly addon: AddonId | null };

/** What a provider gets for the code that came with an add-on, or for its refresh token. */
export type ProviderTokens = {
  readonly access: string;
  readonly refresh: string;
  readonly expiresInSeconds: number;
};

/** Add-ons and their providers, as the API sees them. Nothing of it is kept here: any peer gives the same answers. */
export interface Addons {
  /** All that can be added, built-in ones first. */
  services(): readonly AddonService[];
  /** What an admin may set for a built-in provider: names and what they mean; null: there is no such one. */
  settingsOf(service: string): Readonly<Record<string, string>> | null;
  /** The app that runs the server of a built-in provider, in this cluster; null: an admin named one, or none yet. */
  serverApp(service: string): AppId | null;
  /** A manifest with its secrets sealed. */
  seal(secrets: {
    readonly password: string;
    readonly ssoSalt: string;
  }): Pick<ProviderManifest, 'password' | 'ssoSalt'>;
  sealSetting(service: string, name: string, value: string): Sealed;
  /** The values of an add-on under the names that an app has them by, sealed for the app. */
  sealVars(
    addon: Addon,
    app: AppId,
    attachments: readonly { readonly name: string }[],
  ): Readonly<Record<string, Sealed | null>>;
  /** Whether it can give add-ons new credentials. */
  rotates(service: string): boolean;
  /** What an add-on holds, as a file. @throws PlatformError `invalid_params` for add-ons that cannot */
  dump(addon: Addon, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  restore(addon: Addon, dump: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** The page of an add-on at its provider for this user, good for minutes; null: it has none. */
  ssoUrl(addon: Addon, email: string): string | null;
  /**
   * Whom an `Authorization` header is of; null: of no provider.
   * @param address where it came from: after some wrong passwords it has to wait
   * @throws PlatformError `rate_limit`
   */
  authenticate(authorization: string | undefined, address: string): ProviderCaller | null;
  /** @throws PlatformError `unauthorized` where code, token or secret are not good */
  exchange(grant: { readonly type: string; readonly secret: string; readonly token: string }): ProviderTokens;
}
