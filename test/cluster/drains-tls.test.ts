import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createClusterCa, issueLeaf } from '../../agent/api/ca.ts';
import { certificateFor } from '../helpers/certificates.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { deploy, formationMet } from './apps.ts';
import { WAIT_MS, useCluster } from './cluster.ts';
import { expectNoHoles, writeCounter } from './counted-lines.ts';
import { startRsyslog, type Rsyslog, type RsyslogOptions } from './rsyslog.ts';

const LONG = { timeout: 480_000 };
const APP = 'counter';
const files = await tempDir();
const ours = await certificateFor();
// An authority of one's own is named to each machine: here as a service's environment does.
const caPath = join(files.path, 'ca.pem');
writeFileSync(caPath, ours.ca);
const cluster = useCluster(2, { NODE_EXTRA_CA_CERTS: caPath });
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');
const running: Rsyslog[] = [];
afterAll(async () => {
  for (const rsyslog of running) await rsyslog[Symbol.asyncDispose]();
  await files[Symbol.asyncDispose]();
});

async function start(name: string, options: RsyslogOptions): Promise<Rsyslog> {
  const rsyslog = await startRsyslog(join(cluster.dir, name), options);
  running.push(rsyslog);
  return rsyslog;
}

/** Why the app's drains were refused, as its log says. */
async function refusals(): Promise<readonly string[]> {
  const log = await birch.kith(['logs', '-n', '1500', '-a', APP, '--source', 'heroku', '--dyno', 'logplex']);
  return log.split('\n').filter((line) => line.includes('Error L14 (certificate validation)'));
}

test(
  'the lines of dynos on all peers reach a real rsyslog over TLS, each in a frame of its own',
  LONG,
  async () => {
    const rsyslog = await start('good', { tls: ours });
    await deploy(ash, APP, writeCounter(join(cluster.dir, 'counter')));
    await ash.kith(['ps:scale', 'counter=2', '-a', APP]);
    await formationMet(birch, APP, 2);
    await birch.kith(['drains:add', `syslog+tls://127.0.0.1:${rsyslog.port}`, '-a', APP]);
    for (const dyno of ['counter.1', 'counter.2']) {
      const arrived = (): number => rsyslog.received().filter(({ process }) => process === dyno).length;
      await eventually(() => arrived() > 100, { withinMs: 2 * WAIT_MS });
    }
    // The length before each message is no part of it: rsyslog took it for what it is.
    for (const { version, text } of rsyslog.received()) {
      expect(version).toBe('1');
      expect(text).not.toContain('<190>1');
    }
    expectNoHoles(rsyslog.received());
    expect(await refusals()).toEqual([]);
  },
);

test.each([
  [
    'of an authority that nobody named',
    'stranger',
    '127.0.0.1',
    /error="unable to verify the first certificate"/,
  ],
  ['of another host', 'elsewhere', '127.0.0.2', /IP: 127\.0\.0\.2 is not in the cert's list/],
] as const)(
  'an rsyslog with a certificate %s gets nothing, and the log says why',
  LONG,
  async (_, name, address, reason) => {
    const { certPem: cert, keyPem: key } = await issueLeaf(await createClusterCa(), []);
    const tls = name === 'stranger' ? { ...ours, cert, key } : ours;
    const rsyslog = await start(name, { tls, address });
    const url = `syslog+tls://${address}:${rsyslog.port}`;
    await ash.kith(['drains:add', url, '-a', APP]);
    const said = await eventually(
      async () => (await refusals()).find((line) => line.includes(`uri="${url}/"`)),
      { withinMs: WAIT_MS },
    );
    expect(said).toMatch(reason);
    expect(rsyslog.received()).toEqual([]);
    await ash.kith(['drains:remove', url, '-a', APP]);
  },
);
