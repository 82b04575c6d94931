import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { must, run } from '../../scripts/lib/kith.ts';
import { useCluster } from '../cluster/cluster.ts';
import { Heroku } from './heroku.ts';

const cluster = useCluster(3);
const heroku = new Heroku(cluster);
const APP = 'front';
const HOST = 'www.front.example.com';

/** A self-signed certificate for a host name. @returns its file and that of its key */
async function selfSigned(name: string, host: string): Promise<readonly [string, string]> {
  const dir = join(cluster.dir, 'certs');
  mkdirSync(dir, { recursive: true });
  const [crt, key] = [join(dir, `${name}.crt`), join(dir, `${name}.key`)];
  const subject = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-keyout', key, '-out', crt];
  must(await run('openssl', [...args, ...subject]));
  return [crt, key];
}

test('certificates are added, listed, shown, given to a domain, replaced and removed', async () => {
  await heroku.run('apps:create', APP);
  await heroku.shows(['certs', '-a', APP], 'has no SSL certificates');
  const [crt, key] = await selfSigned('first', HOST);
  const added = await heroku.run('certs:add', crt, key, '-a', APP);
  expect(added).toMatch(/Common Name\(s\): +www\.front\.example\.com[^]*SSL certificate is self signed/);
  const listed = await heroku.shows(['certs', '-a', APP], HOST);
  const name = /^ *(\S+-\d+) /m.exec(listed)?.[1] ?? '';
  expect(await heroku.run('domains:add', HOST, '--cert', name, '-a', APP)).toContain('front.');
  await heroku.shows(['domains', '-a', APP], new RegExp(`www\\.front\\.example\\.com .*${name}`));
  await heroku.shows(['certs:info', '-a', APP, '--name', name, '--show-domains'], /Domain\(s\): +www\.front/);
  await heroku.run('certs:info', '-a', APP, '--endpoint', HOST);
  const [crt2, key2] = await selfSigned('second', 'other.example.com');
  expect(await heroku.run('certs:update', crt2, key2, '-a', APP, '--confirm', APP)).toContain(
    'other.example.com',
  );
  await heroku.shows(['certs', '-a', APP], 'other.example.com');
  const wrong = await heroku.fails('certs:update', crt, key2, '-a', APP, '--confirm', APP);
  expect(wrong).toMatchObject({ status: 2, said: expect.stringContaining('invalid_params') });
  await heroku.run('domains:remove', HOST, '-a', APP);
  await heroku.run('certs:remove', '-a', APP, '--confirm', APP);
  await heroku.shows(['certs', '-a', APP], 'has no SSL certificates');
});

test('a certificate in use is given to another domain by domains:update', async () => {
  const [crt, key] = await selfSigned('third', HOST);
  await heroku.run('domains:add', HOST, '-a', APP);
  // Without a terminal, the CLI cannot ask which domains it is for: it ends there, with the certificate added.
  const { status } = await heroku.try(['certs:add', crt, key, '-a', APP]);
  expect(status).not.toBe(2);
  const name = /^ *(\S+-\d+) /m.exec(await heroku.shows(['certs', '-a', APP], HOST))?.[1] ?? '';
  await heroku.run('domains:update', HOST, '--cert', name, '-a', APP);
  await heroku.shows(['domains', '-a', APP], new RegExp(`www\\.front\\.example\\.com .*${name}`));
});

test('managed certificates are told of, and refused while nobody has an account to order them with', async () => {
  await heroku.shows(['certs:auto', '-a', APP], 'Automatic Certificate Management is disabled');
  for (const command of ['certs:auto:refresh', 'certs:auto:enable']) {
    const { status, said } = await heroku.fails(command, '-a', APP);
    expect([status, said]).toEqual([2, expect.stringContaining('certificates')]);
  }
});

test('drains are added, listed and removed by URL or token', async () => {
  const [tls, https] = ['syslog+tls://127.0.0.1:6514', 'http://127.0.0.1:9/logs'];
  expect(await heroku.run('drains:add', tls, '-a', APP)).toContain(`Successfully added drain ${tls}`);
  await heroku.run('drains:add', https, '-a', APP);
  const listed = await heroku.shows(['drains', '-a', APP], tls, https);
  const token = /http:\/\/127\.0\.0\.1:9\/logs \((d\.[-0-9a-f]+)\)/.exec(listed)?.[1] ?? '';
  expect(await heroku.json<readonly { token: string }[]>('drains', '-a', APP)).toHaveLength(2);
  expect((await heroku.fails('drains:add', 'ftp://127.0.0.1/', '-a', APP)).status).toBe(2);
  expect((await heroku.fails('drains:add', tls, '-a', APP)).said).toContain('already been taken');
  await heroku.run('drains:remove', token, '-a', APP);
  await heroku.run('drains:remove', tls, '-a', APP);
  await heroku.shows(['drains', '-a', APP], /^\s*$/);
  expect((await heroku.fails('drains:remove', tls, '-a', APP)).status).toBe(2);
});
