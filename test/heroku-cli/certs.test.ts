import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Pebble } from '../certificates/pebble.ts';
import { useCluster } from '../cluster/cluster.ts';
import { certificateFor } from '../helpers/certificates.ts';
import { Heroku } from './heroku.ts';

const cluster = useCluster(3);
const pebble = new Pebble();
const heroku = new Heroku(cluster);
const APP = 'alpha';
const LONG = { timeout: 600_000 };

beforeAll(() => pebble.start());
afterAll(() => pebble[Symbol.asyncDispose]());

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
  await heroku.shows(['certs', '-a', APP], /\*\.example\.com/, new RegExp(`${name} .* 2 *$`, 'm'));
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

test(
  'automatic certificates are enabled, issued by a real authority, refreshed and disabled',
  LONG,
  async () => {
    const [ash] = cluster.peers;
    if (ash === undefined) throw new Error('no peer');
    await heroku.shows(['certs:auto', '-a', APP], 'is disabled on alpha');
    expect((await heroku.fails('certs:auto:enable', '-a', APP)).said).toContain(
      'no account with a certificate',
    );
    pebble.router = Number(new URL(ash.agent.ready.http).port);
    await ash.kith(['acme:set', '--agree', '--directory', pebble.directory, '--ca', pebble.caFile]);
    await heroku.shows(['domains', '-a', APP], 'www.example.com');
    await heroku.run('certs:auto:enable', '-a', APP);
    // The wildcard that it has as well.
    await heroku.shows(
      ['certs:auto', '-a', APP],
      'is enabled',
      /www\.example\.com +cert issued/i,
      /\*.* Failed/,
    );
    await heroku.run('domains:remove', '*.example.com', '-a', APP);
    const shown = await heroku.shows(
      ['certs:auto', '--wait', '-a', APP],
      /Issuer: +\/CN=Pebble/,
      /cert issued/i,
    );
    expect(shown).not.toContain('Failed');
    await heroku.shows(['certs:info', '-a', APP], 'www.example.com');
    await heroku.run('certs:auto:refresh', '-a', APP);
    await heroku.run('certs:auto:disable', '--confirm', APP, '-a', APP);
    await heroku.shows(['certs:auto', '-a', APP], 'is disabled on alpha');
    await heroku.shows(['certs', '-a', APP], 'has no SSL certificates');
  },
);
