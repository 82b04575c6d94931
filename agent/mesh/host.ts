import type { Libp2p } from '@libp2p/interface';
import type { GossipSub } from '@libp2p/gossipsub';
import { identify, type Identify } from '@libp2p/identify';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { createLibp2p } from 'libp2p';
import { PlatformError } from '../../src/errors.ts';
import { PATIENCE_MS_MAX } from './dialer.ts';
import type { Gate } from './gate.ts';
import { tunedGossipsub } from './gossip-tuning.ts';
import type { Identity } from './identity.ts';
import { lazyYamux } from './lazy-windows.ts';
import { STREAMS_MAX } from './protocols.ts';
import { nativeTls } from './tls.ts';

export type Host = Libp2p<{ identify: Identify; pubsub: GossipSub }>;

export type HostOptions = {
  readonly identity: Identity;
  readonly gate: Gate;
  readonly listen: readonly string[];
  /** Whether others are told this IP address. */
  readonly tells: (address: string) => boolean;
  readonly mdns: { readonly serviceTag: string } | null;
};

const MDNS_QUERY_MS = 20_000;
/** Not urgent, and what fails is asked again: of a peer that is slow because it meets many, it is better waited for. */
const IDENTIFY_MS = 15_000;

/** Starts libp2p with every default that hurts us replaced; the reasons are beside the values. */
export async function startHost({ identity, gate, listen, tells, mdns }: HostOptions): Promise<Host> {
  const peerDiscovery =
    mdns === null
      ? []
      : [(await import('@libp2p/mdns')).mdns({ serviceTag: mdns.serviceTag, interval: MDNS_QUERY_MS })];
  const tls = await nativeTls(identity);
  try {
    return await createLibp2p({
      privateKey: identity.privateKey,
      nodeInfo: { name: 'kith', version: '1', userAgent: 'kith/1' },
      addresses: {
        listen: [...listen],
        announceFilter: (addrs) => addrs.filter((addr) => tells(addr.toString().split('/')[2] ?? '')),
      },
      // Silent connections are ours to judge (see links.ts): no 2 min socket timeout, and no monitor, whose pings
      // are 95 % of an idle peer's traffic.
      transports: [tcp({ inboundSocketInactivityTimeout: 0, outboundSocketInactivityTimeout: 0 })],
      connectionMonitor: { enabled: false },
      // TLS is Node's own OpenSSL; Noise is for peers whose build lacks it.
      connectionEncrypters: [tls, noise()],
      streamMuxers: [
        lazyYamux({
          enableKeepAlive: false,
          maxInboundStreams: STREAMS_MAX,
          maxOutboundStreams: STREAMS_MAX,
          streamOptions: { maxStreamWindowSize: 1024 * 1024 },
        }),
      ],
      connectionGater: gate.connectionGater(),
      connectionManager: {
        maxConnections: 1024,
        // Per IP and second, default 5: many peers may share one NAT, and all come back after a power cut.
        inboundConnectionThreshold: 200,
        maxIncomingPendingConnections: 200,
        maxParallelDials: 64,
        // The dialer gives each address its time.
        dialTimeout: PATIENCE_MS_MAX,
        addressDialTimeout: PATIENCE_MS_MAX,
        inboundUpgradeTimeout: PATIENCE_MS_MAX,
        // gossipsub opens its streams one after another: one frozen peer holds up all others for this long.
        outboundStreamProtocolNegotiationTimeout: 4_000,
        reconnectRetries: 0,
      },
      peerDiscovery,
      services: {
        // Run by us, on links only: what follows from it (gossip streams) then never starts on a stranger's
        // connection, nor on one of two that is about to be closed.
        identify: (components) =>
          identify({
            runOnConnectionOpen: false,
            maxInboundStreams: 64,
            maxOutboundStreams: 64,
            timeout: IDENTIFY_MS,
          })(gate.guardComponents(components)),
        pubsub: (components) => tunedGossipsub()(gate.guardComponents(components)),
      },
    });
  } catch (cause) {
    throw new PlatformError('unavailable', `Cannot listen on "${listen.join('", "')}": ${reasonOf(cause)}`, {
      hint: 'Is another agent running, or the port taken? Choose another address',
      cause,
    });
  }
}

function reasonOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0]);
  const text = cause instanceof Error ? cause.message : String(cause);
  // libp2p lists the errors of all addresses, stack traces and all.
  return /Error: (listen E.*)/.exec(text)?.[1] ?? text;
}
