import { expect, test } from 'vitest';
import { parseAppJson, readAppJson } from '../../src/builds/app-json.ts';
import { setupConfig } from '../../src/builds/setup-config.ts';

const APP_JSON = JSON.stringify({
  env: { A: 'all', B: 'all', KEY: { generator: 'secret' }, ASK: {}, MAYBE: { required: false } },
  formation: { web: { quantity: 2 }, worker: { quantity: 1 } },
  buildpacks: [{ url: 'heroku/nodejs' }],
  addons: ['kith-redis', { plan: 'kith-postgresql:small', as: 'DATABASE', options: { version: 15 } }],
  stack: 'heroku-24',
  environments: {
    review: { env: { B: 'review', ASK: 'none' }, formation: { web: { quantity: 1 } }, addons: [] },
  },
});

test('what app.json says for an environment comes before what it says for all, entry by entry', () => {
  const review = parseAppJson(APP_JSON, 'review');
  expect(review.env.map(({ key, value }) => [key, value])).toEqual([
    ['A', 'all'],
    ['B', 'review'],
    ['KEY', { generator: 'secret' }],
    ['ASK', 'none'],
    ['MAYBE', null],
  ]);
  expect(review.setup.formation).toEqual({
    web: { quantity: 1, size: null },
    worker: { quantity: 1, size: null },
  });
  expect(review.addons).toEqual([]);
  expect(review.buildpacks).toEqual(['heroku/nodejs']);
  expect(parseAppJson(APP_JSON, 'test').env).toEqual(parseAppJson(APP_JSON).env);
});

test('add-ons are plans, by themselves or with a name and options', () => {
  expect(parseAppJson(APP_JSON).addons).toEqual([
    { plan: 'kith-redis', as: null, options: {} },
    { plan: 'kith-postgresql:small', as: 'DATABASE', options: { version: '15' } },
  ]);
});

test('all that is wrong with an app.json is told at once', () => {
  const read = readAppJson('{"env":{"A B":"1"},"formation":{"web":{"quantity":-1}},"addons":[1]}');
  expect(read).toMatchObject({ errors: [expect.any(String), expect.any(String), expect.any(String)] });
});

test('a setup sets what was given, then what the stage gives, then app.json, and names what is missing', () => {
  const appJson = parseAppJson(APP_JSON);
  expect(setupConfig(appJson, { A: 'stage', EXTRA: '1' }, { A: 'given' })).toEqual({
    set: { A: 'given', B: 'all', KEY: null, EXTRA: '1' },
    missing: ['ASK'],
  });
  expect(setupConfig(appJson, {}, { ASK: '' }).missing).toEqual([]);
});
