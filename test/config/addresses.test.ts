import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { expect, test } from 'vitest';
import { advertisedHosts, isTold, outwardAddresses } from '../../agent/config/addresses.ts';

function at(address: string): NetworkInterfaceInfo[] {
  const isLocal = address.startsWith('127.');
  const cidr = `${address}/16`;
  return [
    { address, cidr, family: 'IPv4', internal: isLocal, mac: '02:00:00:00:00:01', netmask: '255.255.0.0' },
  ];
}

test('a peer that listens everywhere names the addresses of its real networks, and its own loopback last', () => {
  const outward = outwardAddresses({ lo: at('127.0.0.1'), eth0: at('192.0.2.2'), wlan0: at('10.0.0.7') });
  expect(outward).toEqual(['192.0.2.2', '10.0.0.7']);
  expect(advertisedHosts('0.0.0.0').at(-1)).toBe('127.0.0.1');
});

test('networks that container engines make inside the host are named to nobody', () => {
  const inside = ['kith0', 'docker0', 'docker_gwbridge', 'br-0123456789ab', 'veth3fb0277', 'podman1', 'cni0'];
  const interfaces = Object.fromEntries(inside.map((name, n) => [name, at(`172.${17 + n}.0.1`)]));
  expect(outwardAddresses({ ...interfaces, eth0: at('192.0.2.2') })).toEqual(['192.0.2.2']);
});

test('a bridge of a real network is named, and so is a private address of 172.16.0.0/12 on it', () => {
  const interfaces = { br0: at('172.16.4.5'), 'br-lan': at('192.168.1.1'), bridge0: at('172.20.0.9') };
  expect(outwardAddresses(interfaces)).toEqual(['172.16.4.5', '192.168.1.1', '172.20.0.9']);
});

test('an address that was asked for is the only one, whatever it is on', () => {
  expect(advertisedHosts('172.17.0.1')).toEqual(['172.17.0.1']);
});

test('where a peer listens everywhere, what it has on real networks and loopback may be told; else what was asked for', () => {
  expect(isTold('127.0.0.1', '0.0.0.0')).toBe(true);
  for (const address of outwardAddresses(networkInterfaces())) expect(isTold(address, '::')).toBe(true);
  expect(isTold('172.17.0.1', '172.17.0.1')).toBe(true);
});
