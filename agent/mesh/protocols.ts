/** Our protocols on a connection. Only `join` is spoken with strangers. The number is the version of the wire format. */
export const PROTOCOL = { control: '/kith/ctl/1', service: '/kith/svc/1', join: '/kith/join/1' } as const;

/** Streams of one protocol on one connection: libp2p's 32 in and 64 out are far too few for a router. */
export const STREAMS_MAX = 8192;

/** A new connection must carry a control stream within this time, and a service stream must be answered. */
export const SETUP_MS = 15_000;
