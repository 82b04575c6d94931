import { cpus, totalmem } from 'node:os';
import type { ClusterId } from '../../src/ids.ts';
import type { Signer } from '../../src/ledger/signing.ts';
import type { PeerIdentity } from '../../src/peer/state.ts';
import type { Runtime } from '../../src/shell/runtime.ts';
import { advertisedHosts, hostPort, listenMultiaddr } from '../config/addresses.ts';
import type { AgentConfig } from '../config/config.ts';
import { VERSION } from '../lib/version.ts';
import type { Past, Ports } from './past.ts';

/** What this peer will say of itself as long as the agent runs. */
export function describePeer(
  config: AgentConfig,
  {
    signer,
    cluster,
    past,
    ports,
    runtime,
  }: { signer: Signer; cluster: ClusterId; past: Past; ports: Ports; runtime: Runtime },
): PeerIdentity {
  const hosts = advertisedHosts(config.host);
  const main = hosts[0] ?? '127.0.0.1';
  return {
    signer,
    cluster,
    incarnation: past.incarnation,
    name: config.name,
    version: VERSION,
    arch: process.arch,
    runtime: runtime.kind,
    isolation: runtime.isolation,
    labels: {},
    addrs: {
      mesh: hosts.map((host) => listenMultiaddr(host, ports.mesh)),
      api: hostPort(main, ports.api),
      http: hostPort(main, ports.http),
      proxy: hostPort(main, ports.proxy),
    },
    capacity: { memoryMiB: Math.floor(totalmem() / 2 ** 20), cpus: cpus().length },
  };
}
