import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { certificateFor, type TestCertificate } from '../helpers/certificates.ts';
import { eventually } from '../helpers/eventually.ts';
import { deploy, formationMet, writeApp } from './apps.ts';
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

/** Writes what `certs:add` reads, outside all data directories. */
function files(name: string, { cert, key }: TestCertificate): readonly string[] {
  const paths = ['crt', 'key'].map((ending) => join(cluster.dir, `${name}.${ending}`));
  for (const [i, text] of [cert, key].entries()) writeFileSync(paths[i] ?? '', text, { mode: 0o600 });
  return paths;
}

/** A request of a client that trusts this authority alone. */
async function ask(peer: Peer, host: string, ca: string): Promise<{ status: number; text: string }> {
  const { port } = new URL(peer.agent.ready.https);
  const out = request({
    host: '127.0.0.1',
    port,
    path: '/',
    servername: host,
    ca,
    headers: { host },
    agent: false,
  });
  out.end();
  const [response] = await once(out, 'response');
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status: response.statusCode, text };
}

async function allShow(serial: string | undefined, peers: readonly Peer[] = cluster.peers): Promise<void> {
  for (const peer of peers)
    await eventually(async () => (await serialShown(peer, WWW)) === serial, {
      withinMs: WAIT_MS,
      everyMs: 100,
    });
}

const serialOf = async (): Promise<string | undefined> => {
  const { X509Certificate } = await import('node:crypto');
  const [cert] = await cedar.call<{ certificate_chain: string }[]>(`/apps/${APP}/sni-endpoints`);
  return cert === undefined ? undefined : new X509Certificate(cert.certificate_chain).serialNumber;
};

test("without a certificate, every peer serves an app's own name with the cluster's", LONG, async () => {
  await deploy(ash, APP, writeApp(join(cluster.dir, 'app')));
  await formationMet(ash, APP, 1);
  const ca = await ash.call<{ ca_cert: string }>('/kith/cluster');
  for (const peer of cluster.peers) {
    await eventually(async () => (await ask(peer, `${APP}.localhost`, ca.ca_cert)).status === 200, {
      withinMs: WAIT_MS,
      everyMs: 100,
    });
  }
});

test('a certificate that is added at one peer is served by all of them', LONG, async () => {
  const pair = await certificateFor(WWW);
  await ash.kith(['domains:add', WWW, '-a', APP]);
  await birch.kith(['certs:add', ...files('first', pair), '-a', APP]);
  await allShow(await serialOf());
  // The name leads to the app by another table than the one with the certificates.
  for (const peer of cluster.peers)
    await eventually(async () => (await ask(peer, WWW, pair.ca)).status === 200, { withinMs: WAIT_MS });
});

test(
  'it is served on while its agent is away, and after agent and host have started again',
  LONG,
  async () => {
    const serial = await serialOf();
    cedar.agent.signalAgent('SIGKILL');
    await cedar.agent.exited();
    expect(await serialShown(cedar, WWW)).toBe(serial);
    await cedar.start();
    expect(await serialShown(cedar, WWW)).toBe(serial);
    cedar.kill();
    await cedar.start();
    await allShow(serial);
  },
);

test('a renewal that a peer missed reaches it when it is back, and a removal every one', LONG, async () => {
  const before = await serialOf();
  cedar.kill();
  const pair = await certificateFor(WWW, '*.example.com');
  await ash.kith(['certs:update', ...files('second', pair), '-a', APP, '--confirm', APP]);
  await cedar.start();
  await eventually(async () => (await serialOf()) !== before, { withinMs: WAIT_MS, everyMs: 100 });
  const serial = await serialOf();
  await allShow(serial);
  await birch.kith(['certs:remove', '-a', APP, '--confirm', APP]);
  for (const peer of cluster.peers)
    await eventually(async () => (await serialShown(peer, WWW)) !== serial, {
      withinMs: WAIT_MS,
      everyMs: 100,
    });
});
