/** Times and bounds of a router process; Heroku's where it has one. Tests shorten the times. */
export type RouterSettings = {
  /** Connecting to a dyno or to another peer's router: H19. */
  readonly connectMs: number;
  /** From the request's last byte to the response's first: H12. */
  readonly firstByteMs: number;
  /** Without a byte either way, once the response has begun or while the request comes: H15, H28. */
  readonly idleMs: number;
  /** How long a request is held while nothing can take it: H20, H34. */
  readonly holdMs: number;
  /** How long a dyno that refused a connection is not asked again. */
  readonly ejectMs: number;
  /** The same for a peer whose router refused a connection: it is held, not failed, so this is short. */
  readonly peerEjectMs: number;
  /** How long a peer is not asked again after it cut an established connection: its router may be back at once. */
  readonly peerLostMs: number;
  /** Connections tried for one request. */
  readonly attemptsMax: number;
  /** Dynos that may close on one request without an answer before it fails: it may be what kills them. */
  readonly closedMax: number;
  readonly inFlightPerDynoMax: number;
  readonly heldPerAppMax: number;
  /** A client connection without a request. */
  readonly keepAliveMs: number;
  /** From a request's first byte to the end of its head. */
  readonly headMs: number;
  /** From the first byte of a TLS handshake to its end. */
  readonly handshakeMs: number;
  /** TLS handshakes under way at one time; beyond that the oldest makes room for whoever comes. */
  readonly handshakesMax: number;
  /** How long input is read and dropped after a response that came before the request's end. */
  readonly lingerMs: number;
  /** Request bytes kept for another try. */
  readonly replayBytesMax: number;
  readonly clientConnectionsMax: number;
  readonly idleConnectionsPerPeerMax: number;
  /** An unused connection to a peer is closed after this. */
  readonly peerIdleMs: number;
  /** How long a connection to an internal port waits for a dyno. */
  readonly portHoldMs: number;
  /** Connections that wait so, for each port. */
  readonly heldPerPortMax: number;
  readonly connectionsPerPortMax: number;
  /** Connections to internal ports, all ports together: each takes two file descriptors. */
  readonly portConnectionsMax: number;
  /** After a number could not be listened on. */
  readonly portRetryMs: number;
  /** Lines kept while the agent is away. */
  readonly logLinesMax: number;
};

export const DEFAULT_SETTINGS: RouterSettings = {
  connectMs: 5_000,
  firstByteMs: 30_000,
  idleMs: 55_000,
  holdMs: 75_000,
  ejectMs: 5_000,
  peerEjectMs: 1_000,
  peerLostMs: 250,
  attemptsMax: 10,
  closedMax: 3,
  inFlightPerDynoMax: 1_000,
  heldPerAppMax: 1_000,
  keepAliveMs: 90_000,
  headMs: 30_000,
  handshakeMs: 10_000,
  handshakesMax: 1_000,
  lingerMs: 5_000,
  replayBytesMax: 64 * 1024,
  clientConnectionsMax: 20_000,
  idleConnectionsPerPeerMax: 64,
  peerIdleMs: 60_000,
  portHoldMs: 30_000,
  heldPerPortMax: 200,
  connectionsPerPortMax: 2_000,
  portConnectionsMax: 8_000,
  portRetryMs: 3_000,
  logLinesMax: 5_000,
};
