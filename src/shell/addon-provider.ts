import type { AddonId } from '../ids.ts';

/**
 * What a provider is asked for when an add-on is made: the body of the Partner API v3's `POST`. It may be asked again,
 * by this peer or by another, until the ledger has the answer: `uuid` tells that it is the same add-on.
 */
export type ProvisionRequest = {
  readonly uuid: AddonId;
  /** `kith-postgresql-curved-12345`. */
  readonly name: string;
  /** Without the service: `mini`. */
  readonly plan: string;
  /** `amazon-web-services::us-east-1` to providers that know no other. */
  readonly region: string;
  /** Where the provider reads and writes the add-on: any peer serves it, this is one that lives now. */
  readonly callbackUrl: string;
  /** What followed `addons:create SERVICE`, as the user wrote it. */
  readonly options: Readonly<Record<string, string>>;
  /** Null for built-in providers, which need no token. */
  readonly oauthGrant: { readonly code: string; readonly expiresAt: number } | null;
  /** Where the provider may send log lines of its own, and the token that is theirs; null where the app takes none. */
  readonly logInputUrl: string | null;
  readonly logDrainToken: string | null;
  /** The app that it is made for. */
  readonly app: { readonly id: string; readonly name: string };
};

/** By the names of the manifest: `REDIS_URL`, which an attachment called `CACHE` shows as `CACHE_URL`. */
export type AddonConfig = Readonly<Record<string, string>>;

export type ProvisionReply = {
  /** `provisioning`: it will say through `callbackUrl` (or, built in, at the next ask) when it is ready. */
  readonly state: 'provisioned' | 'provisioning';
  /** What the provider calls it: mostly the uuid again. */
  readonly id: string;
  /** Empty while it is being provisioned. */
  readonly config: AddonConfig;
  /** For the user. */
  readonly message: string | null;
  /** `syslog+tls://…`: all of the app's log lines are to be sent there. */
  readonly logDrainUrl: string | null;
};

export type PlanChange = { readonly uuid: AddonId; readonly providerId: string; readonly plan: string };
export type PlanChangeReply = {
  /** What changed of it; null: nothing. */
  readonly config: AddonConfig | null;
  readonly message: string | null;
};

export type Deprovision = { readonly uuid: AddonId; readonly providerId: string | null };

export type Rotation = {
  readonly uuid: AddonId;
  /** What apps have now. */
  readonly config: AddonConfig;
  /** Tells one rotation from another. */
  readonly generation: string;
};

export type SsoRequest = {
  readonly uuid: AddonId;
  readonly providerId: string;
  readonly app: string;
  readonly email: string;
  readonly timestampSeconds: number;
};

/**
 * One who makes add-ons: a built-in one, or an HTTP service behind `agent/addons/http-provider.ts`. Every call may be made
 * twice, at two peers, and after any of them died: it must be safe. A call has 25 s; `signal` ends it.
 *
 * Rejects with a PlatformError: `invalid_params` is a refusal, whose message the user reads and after which nothing was
 * made or changed; `gone` says that there is no such add-on (any more). Whatever else it rejects with is tried again.
 */
export interface AddonProvider {
  /** Asked again while it answers `provisioning` only if `asksAgain`. */
  provision(request: ProvisionRequest, signal: AbortSignal): Promise<ProvisionReply>;
  /** Built-in providers that answer `provisioning` are asked again every few seconds; others call back. */
  readonly asksAgain: boolean;
  changePlan(request: PlanChange, signal: AbortSignal): Promise<PlanChangeReply>;
  /** Also of what was never quite made. That it is gone already is no error. */
  deprovision(request: Deprovision, signal: AbortSignal): Promise<void>;
  /**
   * New credentials beside those in `config`, which go on to work until `endOthers`. The same for the same `generation`.
   * Absent: this provider has no such thing. @returns the config to be released
   */
  rotate?(request: Rotation, signal: AbortSignal): Promise<AddonConfig>;
  /** Ends all credentials that are not in `config`. */
  endOthers?(request: Omit<Rotation, 'generation'>, signal: AbortSignal): Promise<void>;
  /** What it holds, as a file for `restore`; absent: it cannot. @throws PlatformError before anything came */
  dump?(config: AddonConfig, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Replaces what it holds, all of it or nothing. */
  restore?(config: AddonConfig, dump: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** A page of the provider's for this user, good for five minutes; absent or null: it has none. */
  sso?(request: SsoRequest): string | null;
}

/** What a service offers: from a provider's manifest, or a built-in provider's own. */
export type AddonService = {
  /** `kith-postgresql`: its name in the API, also part of its add-ons' names. */
  readonly id: string;
  /** For people: `Kith PostgreSQL`. */
  readonly name: string;
  /** Name of a first attachment, and what `configVars` begin with: `DATABASE`. */
  readonly prefix: string;
  /** `DATABASE_URL`: what it is going to set; known before it was asked. */
  readonly configVars: readonly string[];
  /** The first is the default. */
  readonly plans: readonly AddonPlan[];
  readonly isBuiltIn: boolean;
};

export type AddonPlan = {
  /** `mini` */
  readonly name: string;
  readonly humanName: string;
  readonly description: string;
  /** Cents a month. */
  readonly cents: number;
};

/** A provider that is part of the agent. `service` is the same at every peer; its settings are in the ledger. */
export type BuiltInProvider = {
  readonly service: AddonService;
  readonly provider: AddonProvider;
  /** Names of what an admin may set with `kith providers:set ID NAME`, and what each means. */
  readonly settings: Readonly<Record<string, string>>;
};

/** What an admin has set for a built-in provider, in the clear: read anew at each call, as it may change. */
export type ProviderSettings = (provider: string) => Readonly<Record<string, string>>;
