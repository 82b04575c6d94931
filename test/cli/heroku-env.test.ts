import { expect, test } from 'vitest';
import { herokuEnv } from '../../cli/lib/heroku/heroku-env.ts';

const ACCESS = {
  address: '127.0.0.1:5001',
  token: 'kith-secret',
  caFile: '/home/ada/ca.pem',
  program: '/opt/heroku/bin/heroku',
};
const TRUST = 'http.https://127.0.0.1:5001/.sslCAInfo';

test('all that the official CLI would ask of its vendor leads to the peer', () => {
  const env = herokuEnv(ACCESS, { PATH: '/bin:/opt/heroku/bin' });
  expect(env).toMatchObject({ HEROKU_HOST: 'https://127.0.0.1:5001', HEROKU_API_KEY: 'kith-secret' });
  const hosts = Object.entries(env).filter(([name]) => /^HEROKU_.*(HOST|URL)$/.test(name));
  expect(hosts.length).toBeGreaterThan(5);
  for (const [, host] of hosts) expect(host).toContain('127.0.0.1:5001');
  expect(env).not.toHaveProperty('PATH');
});

test('git finds the CLI on the PATH, for it asks that for a password', () => {
  expect(herokuEnv(ACCESS, { PATH: '/bin' })['PATH']).toBe('/opt/heroku/bin:/bin');
});

test('git trusts the CA for the peer alone, beside the settings that the environment has', () => {
  const first = herokuEnv(ACCESS, { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'user.name' });
  expect(first).toMatchObject({
    GIT_CONFIG_COUNT: '2',
    GIT_CONFIG_KEY_1: TRUST,
    GIT_CONFIG_VALUE_1: '/home/ada/ca.pem',
  });
  expect(first).not.toHaveProperty('GIT_SSL_CAINFO');
  const again = herokuEnv(ACCESS, { ...first, GIT_CONFIG_KEY_0: 'user.name' });
  expect(again).toMatchObject({ GIT_CONFIG_COUNT: '2', GIT_CONFIG_KEY_1: TRUST });
});

test('where a variable says what git trusts everywhere, the file stands in for it', () => {
  const env = herokuEnv(ACCESS, { GIT_SSL_CAINFO: '/etc/company.pem' });
  expect(env['GIT_SSL_CAINFO']).toBe('/home/ada/ca.pem');
  expect(env).not.toHaveProperty('GIT_CONFIG_COUNT');
});
