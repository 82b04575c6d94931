import { networkInterfaces } from 'node:os';
import { isIPv6 } from 'node:net';

/** The addresses others may reach this host at when it listens on `host`, likeliest first. */
export function advertisedHosts(host: string): readonly string[] {
  if (host !== '0.0.0.0' && host !== '::') return [host];
  const found = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((address) => !address.internal && address.family === 'IPv4')
    .map((address) => address.address);
  return [...found, '127.0.0.1'];
}

/** The multiaddr that libp2p listens on. */
export function listenMultiaddr(host: string, port: number): string {
  return `/${isIPv6(host) ? 'ip6' : 'ip4'}/${host}/tcp/${port}`;
}

export function hostPort(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
