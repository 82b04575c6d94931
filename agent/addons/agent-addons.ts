import { timingSafeEqual } from 'node:crypto';
import { PlatformError } from '../../src/errors.ts';
import type { AddonId, AppId } from '../../src/ids.ts';
import { INTERNAL_HOST } from '../../src/internal-host.ts';
import type { Addon } from '../../src/ledger/addons/addon-types.ts';
import { findAddonById, varsOf } from '../../src/ledger/addons/attachments.ts';
import { PROVIDER_PASSWORD_KEY, PROVIDER_SALT_KEY } from '../../src/ledger/addons/provider-types.ts';
import type { Provider } from '../../src/ledger/addons/provider-types.ts';
import type { Sealed } from '../../src/ledger/values.ts';
import { serviceOfManifest } from '../../src/platform/addon-service.ts';
import type {
  AddonConfig,
  AddonProvider,
  AddonService,
  BuiltInProvider,
} from '../../src/shell/addon-provider.ts';
import type { Addons, ProviderCaller, ProviderTokens as Tokens } from '../../src/shell/addons.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import { addressHere } from './address-here.ts';
import { openBuiltIns } from './built-ins.ts';
import { FailedLogins } from './failed-logins.ts';
import { HttpProvider } from './http-provider.ts';
import { ACCESS_SECONDS, ProviderTokens } from './provider-tokens.ts';

/** Who makes add-ons and how they are spoken to: what the ledger says of them, and those that are part of the agent. */
export class AgentAddons implements Addons {
  readonly tokens: ProviderTokens;
  readonly #host: () => PeerHost;
  readonly #builtIns: ReadonlyMap<string, BuiltInProvider>;
  readonly #failedLogins = new FailedLogins();

  /** @param internalHost where this peer's router takes connections to internal ports */
  constructor(host: () => PeerHost, internalHost: string) {
    this.#host = host;
    this.tokens = new ProviderTokens(host);
    const all = openBuiltIns(host, (service) => this.#settings(service), addressHere(internalHost));
    this.#builtIns = new Map(all.map((each) => [each.service.id, each]));
  }

  services(): readonly AddonService[] {
    const builtIn = [...this.#builtIns.values()].map(({ service }) => service);
    const registered = [...this.#host().view().providers.values()].flatMap(({ id, manifest }) =>
      manifest === null || this.#builtIns.has(id) ? [] : [serviceOfManifest(id, manifest)],
    );
    return [...builtIn, ...registered.sort((a, b) => (a.id < b.id ? -1 : 1))];
  }

  settingsOf(service: string): Readonly<Record<string, string>> | null {
    return this.#builtIns.get(service)?.settings ?? null;
  }

  serverApp(service: string): AppId | null {
    const { server = '' } = this.#settings(service);
    const url = URL.canParse(server) ? new URL(server) : null;
    if (url?.hostname !== INTERNAL_HOST) return null;
    const holder = this.#host().view().ports.get(Number(url.port));
    return holder?.app ?? null;
  }

  /** @throws PlatformError `unavailable` where nobody speaks for that service any more */
  providerOf(service: string): AddonProvider {
    const builtIn = this.#builtIns.get(service);
    if (builtIn !== undefined) return builtIn.provider;
    const { manifest } = this.#host().view().providers.get(service) ?? { manifest: null };
    if (manifest === null) {
      throw new PlatformError('unavailable', `There is no provider "${service}" now`, {
        hint: 'Register it again with `kith providers:add`',
      });
    }
    const { baseUrl, ssoUrl, configVars, password, ssoSalt } = manifest;
    return new HttpProvider({
      id: service,
      baseUrl,
      ssoUrl,
      configVars,
      password: () => this.#host().open('cluster', PROVIDER_PASSWORD_KEY, password),
      ssoSalt: () => this.#host().open('cluster', PROVIDER_SALT_KEY, ssoSalt),
    });
  }

  isBuiltIn(service: string): boolean {
    return this.#builtIns.has(service);
  }

  seal(secrets: { password: string; ssoSalt: string }): { password: Sealed; ssoSalt: Sealed } {
    const host = this.#host();
    return {
      password: host.seal('cluster', PROVIDER_PASSWORD_KEY, secrets.password),
      ssoSalt: host.seal('cluster', PROVIDER_SALT_KEY, secrets.ssoSalt),
    };
  }

  sealSetting(service: string, name: string, value: string): Sealed {
    return this.#host().seal('cluster', settingKey(service, name), value);
  }

  sealVars(
    addon: Addon,
    app: AppId,
    attachments: readonly { readonly name: string }[],
  ): Readonly<Record<string, Sealed | null>> {
    const host = this.#host();
    const sealed = new Map<string, Sealed | null>();
    for (const { name, key, value } of varsOf(addon, attachments)) {
      sealed.set(name, value === null ? null : host.seal(app, name, host.open(addon.id, key, value)));
    }
    return Object.fromEntries(sealed);
  }

  rotates(service: string): boolean {
    return this.providerOf(service).rotate !== undefined;
  }

  async dump(addon: Addon, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const dumped = await this.providerOf(addon.service).dump?.(this.configOf(addon), signal);
    return dumped ?? refuseDump(addon);
  }

  async restore(addon: Addon, dump: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const provider = this.providerOf(addon.service);
    if (provider.restore === undefined) return refuseDump(addon);
    await provider.restore(this.configOf(addon), dump, signal);
  }

  /** In the clear, by the names of the manifest. */
  configOf({ id, config }: Addon): AddonConfig {
    const host = this.#host();
    return Object.fromEntries(
      [...config].flatMap(([key, value]) => (value === null ? [] : [[key, host.open(id, key, value)]])),
    );
  }

  ssoUrl(addon: Addon, email: string): string | null {
    const app = this.#host().view().apps.get(addon.app);
    const provider = this.providerOf(addon.service);
    return (
      provider.sso?.({
        uuid: addon.id,
        providerId: addon.providerId ?? addon.id,
        app: app?.name ?? '',
        email,
        timestampSeconds: Math.floor(Date.now() / 1_000),
      }) ?? null
    );
  }

  authenticate(authorization: string | undefined, address: string): ProviderCaller | null {
    const [, scheme = '', value = ''] = /^(bearer|basic)\s+(\S+)\s*$/i.exec(authorization ?? '') ?? [];
    if (scheme.toLowerCase() === 'bearer') {
      const id = this.tokens.read('access', value, Date.now());
      const addon = id === null ? null : this.#liveAddon(id);
      return addon === null ? null : { service: addon.service, addon: addon.id };
    }
    if (scheme === '') return null;
    const [, id = '', password = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(value, 'base64').toString()) ?? [];
    if (this.#host().view().providers.get(id)?.manifest == null) return null;
    this.#failedLogins.mustNotWait(id, address);
    if (this.#isPassword(id, password)) return { service: id, addon: null };
    this.#failedLogins.note(id, address);
    return null;
  }

  exchange({ type, secret, token }: { type: string; secret: string; token: string }): Tokens {
    const now = Date.now();
    const kind = type === 'refresh_token' ? 'refresh' : 'code';
    const id = this.tokens.read(kind, token, now);
    const addon = id === null ? null : this.#liveAddon(id);
    if (addon === null || !this.#isPassword(addon.service, secret)) {
      throw new PlatformError('unauthorized', 'The grant or the client secret is not valid.', {
        hint: 'A code is good for five minutes; the client secret is the password of the manifest',
      });
    }
    return {
      access: this.tokens.make('access', addon.id, now).text,
      refresh: this.tokens.make('refresh', addon.id, now).text,
      expiresInSeconds: ACCESS_SECONDS,
    };
  }

  #liveAddon(id: AddonId): Addon | null {
    const addon = findAddonById(this.#host().view(), id);
    return addon === null || addon.state === 'deprovisioned' ? null : addon;
  }

  #isPassword(service: string, given: string): boolean {
    const provider: Provider | undefined = this.#host().view().providers.get(service);
    if (provider === undefined || provider.manifest === null) return false;
    const { password } = provider.manifest;
    const known = Buffer.from(this.#host().open('cluster', PROVIDER_PASSWORD_KEY, password));
    const found = Buffer.from(given);
    return known.length === found.length && known.length > 0 && timingSafeEqual(known, found);
  }

  #settings(service: string): Readonly<Record<string, string>> {
    const host = this.#host();
    const { settings } = host.view().providers.get(service) ?? { settings: {} };
    return Object.fromEntries(
      Object.entries<Sealed>(settings).map(([name, value]) => [
        name,
        host.open('cluster', settingKey(service, name), value),
      ]),
    );
  }
}

function refuseDump({ name, service }: Addon): never {
  throw new PlatformError(
    'invalid_params',
    `Cannot dump or restore "${name}": "${service}" does not offer that`,
  );
}

function settingKey(service: string, name: string): string {
  return `provider setting ${service} ${name}`;
}
