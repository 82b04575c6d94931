import { expect, test } from 'vitest';
import { parseAppJson } from '../../src/builds/app-json.ts';
import { FakeHost } from './fake-host.ts';
import { setUpConfig } from '../../agent/builds/set-up-app.ts';

test('an app.json is read for its env, formation, buildpacks and postdeploy; what else it holds is for others', () => {
  const read = parseAppJson(
    JSON.stringify({
      name: 'shop',
      addons: ['x:free'],
      env: {
        A: 'a',
        N: 3,
        KEY: { generator: 'secret' },
        ASK: { description: 'who' },
        OPT: { required: false },
      },
      formation: { web: { quantity: 2, size: 'Standard-1X' }, worker: {} },
      buildpacks: [{ url: 'heroku/nodejs' }],
      scripts: { postdeploy: 'npm run seed' },
    }),
  );
  expect(read.env).toEqual([
    { key: 'A', value: 'a', required: true },
    { key: 'N', value: '3', required: true },
    { key: 'KEY', value: { generator: 'secret' }, required: true },
    { key: 'ASK', value: null, required: true },
    { key: 'OPT', value: null, required: false },
  ]);
  expect(read.buildpacks).toEqual(['heroku/nodejs']);
  expect(read.setup).toEqual({
    formation: { web: { quantity: 2, size: 'Standard-1X' }, worker: { quantity: 1, size: null } },
    postdeploy: 'npm run seed',
  });
});

test('a flawed app.json is refused with the field that is wrong', () => {
  expect(() => parseAppJson('{')).toThrow(/Cannot read app\.json: it is no JSON/);
  expect(() => parseAppJson('{"formation":{"web":{"size":"huge"}}}')).toThrow(
    /"formation\.web\.size": .*no such size/,
  );
  expect(() => parseAppJson('{"env":{"A B":"1"}}')).toThrow(/"env\.A B"/);
  expect(() => parseAppJson('{"formation":{"web":{"quantity":-1}}}')).toThrow(/"formation\.web\.quantity"/);
  expect(() => parseAppJson('[]')).toThrow(/Cannot read app\.json/);
});

test('before the first build the vars that nobody has set are set, in one release, and those that lack a value named', async () => {
  const host = new FakeHost();
  const { id } = host.createApp('shop');
  host.setConfig(id, { A: 'mine' });
  const { env } = parseAppJson('{"env":{"A":"a","B":"b","KEY":{"generator":"secret"},"ASK":{}}}');
  const lines: string[] = [];
  const after = await setUpConfig(host, host.app(id), { env }, 'me@example.com', (line) => lines.push(line));
  const values = [...after.config].map(([key, { value }]) => [key, Buffer.from(value ?? []).toString()]);
  expect(Object.fromEntries(values)).toEqual({
    A: 'mine',
    B: 'b',
    KEY: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
  });
  expect(after.releases.size).toBe(3);
  expect(lines.join('\n')).toMatch(/Setting config vars of app\.json: B, KEY\n.*asks for the config var ASK/);
  await setUpConfig(host, after, { env }, 'me@example.com', () => {});
  expect(host.app(id).releases.size).toBe(3);
});
