import { expect, test } from 'vitest';
import type { PeerId } from '../../src/ids.ts';
import { answerChallenge } from '../../src/routing/answer-challenge.ts';
import type { RouteTable } from '../../src/routing/table.ts';

const OPEN = { token: 'abc_-', authorization: 'abc_-.thumb', expiresAt: 1_000 };
const TABLE: RouteTable = {
  version: 1,
  self: 'p' as PeerId,
  hosts: {},
  suffixes: ['localhost'],
  names: {},
  apps: {},
  challenges: { 'www.example.com': [OPEN] },
  internalHost: null,
  ports: {},
  localDynos: {},
  members: [],
};
const PATH = '/.well-known/acme-challenge/';

function ask(target: string, fields: { host?: string; method?: string; body?: number; now?: number } = {}) {
  const { host = 'www.example.com', method = 'GET', body = 0, now = 999 } = fields;
  return answerChallenge(TABLE, { target, host, method, body }, now);
}

test('a token that is open for a host is answered, however the authority writes that host', () => {
  expect(ask(`${PATH}abc_-`)).toBe(OPEN.authorization);
  expect(ask(`${PATH}abc_-`, { host: 'WWW.Example.com:80' })).toBe(OPEN.authorization);
  expect(ask(`${PATH}abc_-`, { method: 'HEAD' })).toBe(OPEN.authorization);
});

test("everything else below that path is the app's", () => {
  expect(ask(`${PATH}other`)).toBeNull();
  expect(ask(PATH)).toBeNull();
  expect(ask(`${PATH}abc_-/x`)).toBeNull();
  expect(ask(`${PATH}abc_-?x`)).toBeNull();
  expect(ask('/')).toBeNull();
  expect(ask(`${PATH}abc_-`, { host: 'api.example.com' })).toBeNull();
  expect(ask(`${PATH}abc_-`, { host: 'constructor' })).toBeNull();
  expect(ask(`${PATH}abc_-`, { method: 'POST' })).toBeNull();
  expect(ask(`${PATH}abc_-`, { body: 3 })).toBeNull();
  expect(ask(`${PATH}abc_-`, { now: 1_000 })).toBeNull();
  expect(
    answerChallenge(
      { ...TABLE, challenges: {} },
      { target: `${PATH}abc_-`, host: 'www.example.com', method: 'GET', body: 0 },
      0,
    ),
  ).toBeNull();
});
