import type { AppId, DynoId, PeerId } from '../ids.ts';
import type { AcmeChallenge } from '../ledger/domains/acm-types.ts';

/** Where one dyno can be reached. `host`/`port` is the dyno itself when local, its peer's proxy listener when not. */
export type RouteTarget = {
  readonly dyno: DynoId;
  readonly name: string;
  readonly peer: PeerId;
  readonly local: boolean;
  readonly host: string;
  readonly port: number;
};

export type RouteApp = {
  readonly app: AppId;
  readonly name: string;
  readonly maintenance: boolean;
  /** No slug was ever released: H81. */
  readonly blank: boolean;
  /** Wanted web dynos: 0 is H14. */
  readonly webQuantity: number;
  /** Some web dyno is starting somewhere: hold the request up to 75 s (H20) rather than fail. */
  readonly starting: boolean;
  /** Some web dyno crashed and none is up or starting: H10. */
  readonly crashed: boolean;
  readonly up: readonly RouteTarget[];
};

/** An internal port: whoever connects to its number on `RouteTable.internalHost` is connected to one of `up`. */
export type RoutePort = {
  readonly app: AppId;
  readonly type: string;
  /** Wanted dynos of that type: with 0 nobody needs to wait. */
  readonly wanted: number;
  /** Some dyno of that type is about to be up somewhere: hold the connection rather than close it. */
  readonly starting: boolean;
  readonly up: readonly RouteTarget[];
};

/** All that a router process needs to serve any app; sent whole, newest wins. */
export type RouteTable = {
  readonly version: number;
  readonly self: PeerId;
  /** Exact lower-case host names (custom domains) to apps. */
  readonly hosts: Readonly<Record<string, AppId>>;
  /** `APP.<suffix>` serves the app named APP: `localhost` and the cluster's own domain. */
  readonly suffixes: readonly string[];
  readonly names: Readonly<Record<string, AppId>>;
  readonly apps: Readonly<Record<string, RouteApp>>;
  /** By host name: what a certificate authority that looks for it is to find. Absent: nothing. */
  readonly challenges?: Readonly<Record<string, readonly AcmeChallenge[]>>;
  /** Where dynos of this peer reach internal ports; null: nowhere. */
  readonly internalHost: string | null;
  /** Internal ports by their number, as text. */
  readonly ports: Readonly<Record<string, RoutePort>>;
  /** Dynos of this peer that other peers may ask for, draining ones included: dyno id to port. */
  readonly localDynos: Readonly<Record<string, { readonly port: number; readonly host: string }>>;
  /** Members: the only peers that the proxy listener serves and that we connect to. */
  readonly members: readonly PeerId[];
};
