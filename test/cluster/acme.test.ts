import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DoctorResource } from '../../src/platform/doctor.ts';
import type { DomainResource } from '../../src/platform/domain.ts';
import type { SniEndpointResource } from '../../src/platform/sni-endpoint.ts';
import { Pebble } from '../certificates/pebble.ts';
import { eventually } from '../helpers/eventually.ts';
import { filesWith } from '../helpers/files-with.ts';
import { useCluster, WAIT_MS } from './cluster.ts';
import type { Peer } from './peer.ts';
import { serialShown } from './serial-shown.ts';

const LONG = { timeout: 480_000 };
const APP = 'shop';
const WWW = 'www.example.com';
const cluster = useCluster(3);
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');
const cedar = cluster.peer('cedar');
const pebble = new Pebble();

beforeAll(() => pebble.start());
afterAll(() => pebble[Symbol.asyncDispose]());

const routerPort = (peer: Peer): number => Number(new URL(peer.agent.ready.http).port);

async function domainOf(peer: Peer, hostname: string): Promise<DomainResource> {
  return await peer.call(`/apps/${APP}/domains/${hostname}`);
}

function statusIs(
  peer: Peer,
  hostname: string,
  status: DomainResource['acm_status'],
): Promise<DomainResource> {
  return eventually(
    async () => {
      const found = await domainOf(peer, hostname);
      if (found.acm_status === status) return found;
      throw new Error(`"${hostname}" is ${found.acm_status}: ${found.acm_status_reason}`);
    },
    { withinMs: WAIT_MS, everyMs: 100 },
  );
}

/** Serial number of the certificate that was ordered for this name. */
async function serialOf(peer: Peer, hostname: string): Promise<string | undefined> {
  const certs = await peer.call<readonly SniEndpointResource[]>(`/apps/${APP}/sni-endpoints`);
  const cert = certs.find(({ ssl_cert: { acm, cert_domains: names } }) => acm && names.includes(hostname));
  return cert === undefined ? undefined : new X509Certificate(cert.certificate_chain).serialNumber;
}

async function allShow(hostname: string, serial: string | undefined, peers = cluster.peers): Promise<void> {
  expect(serial).toBeDefined();
  for (const peer of peers)
    await eventually(async () => (await serialShown(peer, hostname)) === serial, {
      withinMs: WAIT_MS,
      everyMs: 100,
    });
}

/** How often this peer has begun to order for this name, as its log says. */
function ordersAt({ dir }: Peer, hostname: string): number {
  const isOrder = (line: string): boolean =>
    line.includes('"ordering a certificate"') && line.includes(`"${hostname}"`);
  return readFileSync(`${dir}.log`, 'utf8').split('\n').filter(isOrder).length;
}

/** Who has begun to order for this name. */
function issuersOf(hostname: string): readonly Peer[] {
  return cluster.peers.filter((peer) => ordersAt(peer, hostname) > 0);
}

test('without an account nothing is ordered, and it is said who makes one', LONG, async () => {
  await ash.kith(['apps:create', APP, '--no-remote']);
  await ash.kith(['domains:add', WWW, '-a', APP]);
  const refused = await ash.tryKith(['certs:auto:enable', '-a', APP]);
  expect(refused.status).not.toBe(0);
  expect(refused.stderr).toContain('kith acme:set EMAIL --agree');
  const disagreed = await ash.tryKith(['acme:set', 'ops@example.com']);
  expect(disagreed.stderr).toContain('terms of the authority');
});

test(
  'a domain gets a certificate that every peer serves, whichever of them was asked to prove it',
  LONG,
  async () => {
    pebble.router = routerPort(cedar);
    const set = [
      'acme:set',
      'ops@example.com',
      '--agree',
      '--directory',
      pebble.directory,
      '--ca',
      pebble.caFile,
    ];
    expect(await ash.kith(set)).toContain(pebble.directory);
    await eventually(async () => (await birch.kith(['acme'])).includes(pebble.directory), {
      withinMs: WAIT_MS,
    });
    const said = await birch.kith(['certs:auto:enable', '--wait', '-a', APP]);
    expect(said).toMatch(/www\.example\.com +Certificate issued/);
    await allShow(WWW, await serialOf(birch, WWW));
    expect(await domainOf(birch, WWW)).toMatchObject({ acm_status: 'cert issued', acm_status_reason: null });
    expect(await birch.call(`/apps/${APP}`)).toMatchObject({ acm: true });
  },
);

test(
  'a domain that does not lead here fails with what the authority found, until it does',
  LONG,
  async () => {
    const away = 'away.example.com';
    const problems = async () => (await cedar.call<DoctorResource>('/kith/doctor')).problems;
    await pebble.point(away, '127.0.0.9');
    await ash.kith(['domains:add', away, '-a', APP]);
    const { acm_status_reason: reason } = await statusIs(cedar, away, 'failing');
    expect(reason).toMatch(/cannot verify "away\.example\.com": .*acme-challenge\/….*127\.0\.0\.9/);
    expect(await problems()).toContainEqual(
      expect.objectContaining({
        id: 'certificate_not_ordered',
        message: expect.stringContaining(reason ?? ''),
      }),
    );
    await pebble.point(away, '127.0.0.1');
    await ash.kith(['certs:auto:refresh', '-a', APP]);
    await statusIs(cedar, away, 'cert issued');
    // A peer that did not answer in time is one for a moment, too.
    await eventually(async () => (await problems()).length === 0, { withinMs: WAIT_MS, everyMs: 100 });
  },
);

test('a wildcard fails at once, and says why', LONG, async () => {
  await ash.kith(['domains:add', '*.example.com', '-a', APP]);
  const failed = await statusIs(ash, '*.example.com', 'failed');
  expect(failed.acm_status_reason).toContain('wildcard');
  await ash.kith(['domains:remove', '*.example.com', '-a', APP]);
});

test('when the issuer dies in the middle of an order, another peer orders anew', LONG, async () => {
  const host = 'hard.example.com';
  pebble.router = null;
  await ash.kith(['domains:add', host, '-a', APP]);
  await eventually(() => pebble.held > 0, { withinMs: WAIT_MS });
  const issuer = await eventually(() => issuersOf(host)[0], { withinMs: WAIT_MS });
  issuer.kill();
  const survivors = cluster.peers.filter((peer) => peer !== issuer);
  expect(survivors).toHaveLength(2);
  const [first, second] = survivors;
  if (first === undefined || second === undefined) throw new Error('Two of three are left');
  pebble.router = routerPort(first);
  await statusIs(second, host, 'cert issued');
  await allShow(host, await serialOf(second, host), survivors);
  expect(issuersOf(host).length).toBeGreaterThan(1);
  await issuer.start();
  await cluster.allAlive();
  await allShow(host, await serialOf(second, host), [issuer]);
});

test('a certificate is renewed before it expires, by an authority of another account', LONG, async () => {
  const host = 'brief.example.com';
  await using brief = new Pebble();
  await brief.start({ validSeconds: 20 });
  brief.router = routerPort(birch);
  const ordered = (): readonly number[] => cluster.peers.map((peer) => ordersAt(peer, WWW));
  const orderedBefore = ordered();
  await ash.kith(['acme:set', '--agree', '--directory', brief.directory, '--ca', brief.caFile]);
  await ash.kith(['domains:add', host, '-a', APP]);
  await statusIs(ash, host, 'cert issued');
  const before = await serialOf(ash, host);
  await eventually(async () => (await serialOf(ash, host)) !== before, { withinMs: WAIT_MS, everyMs: 100 });
  await eventually(async () => (await serialShown(cedar, host)) !== before, {
    withinMs: WAIT_MS,
    everyMs: 100,
  });
  // The others have time, and are left alone.
  expect(ordered()).toEqual(orderedBefore);
  await ash.kith(['domains:remove', host, '-a', APP]);
  expect(await serialOf(ash, host)).toBeUndefined();
});

test("no key of an account or of a certificate is on any peer's disk", () => {
  expect(filesWith(cluster.dir, 'PRIVATE KEY')).toEqual([]);
});

test('turned off, what was ordered goes, and every peer is back at its own', LONG, async () => {
  const serial = await serialOf(ash, WWW);
  await birch.kith(['certs:auto:disable', '-a', APP, '--confirm', APP]);
  expect(await birch.call(`/apps/${APP}/sni-endpoints`)).toEqual([]);
  expect(await domainOf(birch, WWW)).toMatchObject({ acm_status: null, acm_status_reason: null });
  for (const peer of cluster.peers)
    await eventually(async () => (await serialShown(peer, WWW)) !== serial, {
      withinMs: WAIT_MS,
      everyMs: 100,
    });
});
