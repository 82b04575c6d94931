import { networkInterfaces } from 'node:os';
import { isIPv6 } from 'node:net';

type Interfaces = ReturnType<typeof networkInterfaces>;

/**
 * Networks that container engines and hypervisors make inside this host, by the names that they give them: Docker, Podman,
 * Kubernetes' plugins, LXC, libvirt, and our own `kith0`. Every host has the same addresses on these, and nobody else reaches
 * them. A bridge that somebody made for a real network is called otherwise: `br0`, `br-lan`.
 */
const INSIDE = [
  /^kith\d/,
  /^docker\d/,
  /^docker_gwbridge$/,
  /^br-[0-9a-f]{12}$/,
  /^veth/,
  /^podman\d/,
  /^cni/,
  /^flannel/,
  /^cali/,
  /^lxcbr\d/,
  /^lxdbr\d/,
  /^virbr\d/,
  /^vnet\d/,
];

/** The addresses others may reach this host at when it listens on `host`, likeliest first. */
export function advertisedHosts(host: string): readonly string[] {
  if (!isEverywhere(host)) return [host];
  return [...outwardAddresses(networkInterfaces()), '127.0.0.1'];
}

/** Whether a peer that listens on `host` may name this address of it to others. */
export function isTold(address: string, host: string): boolean {
  if (!isEverywhere(host)) return true;
  const inside = Object.entries(networkInterfaces()).filter(([name]) => isInside(name));
  return !inside.some(([, addresses]) => addresses?.some((other) => other.address === address));
}

/** IPv4 addresses of these interfaces that others may reach: none of loopback, none of a network inside this host. */
export function outwardAddresses(interfaces: Interfaces): readonly string[] {
  return Object.entries(interfaces)
    .filter(([name]) => !isInside(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter((address) => !address.internal && address.family === 'IPv4')
    .map((address) => address.address);
}

function isEverywhere(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function isInside(name: string): boolean {
  return INSIDE.some((pattern) => pattern.test(name));
}

/** The multiaddr that libp2p listens on. */
export function listenMultiaddr(host: string, port: number): string {
  return `/${isIPv6(host) ? 'ip6' : 'ip4'}/${host}/tcp/${port}`;
}

export function hostPort(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
