import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useCluster } from '../cluster/cluster.ts';
import { certificateFor } from '../helpers/certificates.ts';
import { Heroku } from './heroku.ts';

const cluster = useCluster(3);
const heroku = new Heroku(cluster);
const APP = 'alpha';
const LONG = { timeout: 300_000 };

/** What `certs:add` and `certs:update` read. */
async function writePair(name: string, ...hosts: string[]): Promise<readonly [string, string]> {
  const { cert, key } = await certificateFor(...hosts);
  const paths = [join(cluster.dir, `${name}.crt`), join(cluster.dir, `${name}.key`)] as const;
  writeFileSync(paths[0], cert);
  writeFileSync(paths[1], key, { mode: 0o600 });
  return paths;
}

test('certificates are added, shown, given to domains, renewed and removed', LONG, async () => {
  await heroku.run('apps:create', '--no-remote', APP);
  await heroku.shows(['certs', '-a', APP], 'has no SSL certificates');
  const pair = await writePair('first', 'www.example.com');
  // No domain of the app yet that it is for: the CLI would ask which.
  expect(await heroku.run('certs:add', ...pair, '-a', APP)).toContain('www.example.com');
  const list = await heroku.shows(['certs', '-a', APP], 'www.example.com', 'False');
  const name = /([a-z]+-\d{5})/.exec(list)?.[1] ?? '';
  await heroku.run('domains:add', 'www.example.com', '-a', APP);
  await heroku.shows(['domains', '-a', APP], 'www.example.com');
  await heroku.run('domains:update', 'www.example.com', '--cert', name, '-a', APP);
  await heroku.shows(['domains', '-a', APP], new RegExp(`www\\.example\\.com .*${name}`));
  await heroku.run('domains:add', '*.example.com', '--cert', name, '-a', APP);
  await heroku.shows(['certs:info', '-a', APP], /Issuer: +\/CN=Kith cluster CA/);
  await heroku.shows(['certs:info', '--show-domains', '-a', APP], '*.example.com');
  const next = await writePair('second', 'www.example.com', '*.example.com');
  await heroku.run('certs:update', ...next, '--confirm', APP, '-a', APP);
  await heroku.shows(['certs', '-a', APP], /\*\.example\.com/, new RegExp(`${name} .* 2$`, 'm'));
  await heroku.run('certs:remove', '--confirm', APP, '-a', APP);
  await heroku.shows(['certs', '-a', APP], 'has no SSL certificates');
});

test('what is no certificate is refused in words', LONG, async () => {
  const [crt, key] = await writePair('good', 'www.example.com');
  const [, other] = await writePair('other', 'www.example.com');
  expect(await heroku.fails('certs:add', crt, crt, '-a', APP)).toEqual({
    status: 2,
    said: expect.stringContaining('not a private key'),
  });
  expect((await heroku.fails('certs:add', crt, other, '-a', APP)).said).toContain('of another certificate');
  expect((await heroku.fails('certs:add', key, key, '-a', APP)).said).toContain('a private key is among the');
});

test('automated certificates are off, and enabling them says why not', LONG, async () => {
  await heroku.shows(['certs:auto', '-a', APP], 'is disabled on alpha');
  const enabled = await heroku.fails('certs:auto:enable', '-a', APP);
  expect(enabled.said).toContain('does not order certificates yet');
  expect((await heroku.fails('certs:auto:refresh', '-a', APP)).said).toContain(
    'does not order certificates yet',
  );
});
