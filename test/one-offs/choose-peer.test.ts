import { expect, test } from 'vitest';
import { peersWithRoom } from '../../agent/one-offs/choose-peer.ts';
import type { PeerFacts } from '../../src/facts.ts';
import type { PeerId } from '../../src/ids.ts';
import type { SlotVolume } from '../../src/placement/types.ts';
import type { PeerStatus } from '../../src/shell/host.ts';

function peer(name: string, fields: Partial<PeerFacts> = {}, verdict: PeerStatus['verdict'] = 'alive') {
  const facts = {
    peer: name,
    name,
    arch: 'x64',
    runtime: 'process',
    capacity: { memoryMiB: 2_048, cpus: 2 },
    draining: false,
    dynos: [],
    oneOffs: [],
    ...fields,
  } as unknown as PeerFacts;
  return { peer: name as PeerId, verdict, facts };
}

const promised = (...sizes: string[]) =>
  ({ dynos: sizes.map((size) => ({ size })) }) as unknown as Partial<PeerFacts>;
const SLUG = { arch: 'x64' } as const;

test('the peer with most memory left comes first, promises counted', () => {
  const peers = [
    peer('ash', promised('Standard-2X')),
    peer('birch'),
    peer('cedar', promised('Basic')),
    peer('elm', promised('Performance-M')),
  ];
  expect(peersWithRoom(peers, { slug: SLUG, size: 'Basic', volumes: [] })).toEqual(['birch', 'cedar', 'ash']);
});

test('where nobody can take it, each peer is named with what stands in the way', () => {
  const peers = [
    peer('ash', promised('Standard-2X', 'Basic')),
    peer('birch', { draining: true }),
    peer('cedar', { arch: 'arm64' }),
    peer('dogwood', {}, 'down'),
    peer('elm', { runtimeDown: 'the Docker Engine does not answer' }),
  ];
  expect(() => peersWithRoom(peers, { slug: SLUG, size: 'Standard-2X', volumes: [] })).toThrow(
    'Cannot run a Standard-2X dyno (1024 MiB): no peer can take it: "ash" has 512 MiB free, "birch" is draining, ' +
      '"cedar" is arm64 while the code is x64, "dogwood" is down, "elm" cannot: the Docker Engine does not answer',
  );
});

test('a container image needs a peer with Docker', () => {
  const image = { arch: 'x64', format: 'image' } as const;
  const peers = [peer('ash'), peer('birch', { runtime: 'docker', ...promised('Basic') })];
  expect(peersWithRoom(peers, { slug: image, size: 'Basic', volumes: [] })).toEqual(['birch']);
  expect(() => peersWithRoom(peers.slice(0, 1), { slug: image, size: 'Basic', volumes: [] })).toThrow(
    '"ash" has no Docker for a container image',
  );
});

test('a one-off with a volume runs on the peer that has it, and nowhere else', () => {
  const data = { name: 'data', peer: 'birch' } as unknown as SlotVolume;
  const wanted = { slug: SLUG, size: 'Basic', volumes: [data] };
  expect(peersWithRoom([peer('ash'), peer('birch', promised('Basic'))], wanted)).toEqual(['birch']);
  expect(() => peersWithRoom([peer('ash'), peer('birch', {}, 'down')], wanted)).toThrow(
    '"ash" does not have its volume "data", "birch" is down',
  );
});
