import { expect, test } from 'vitest';
import type { AppId, PeerId } from '../../src/ids.ts';
import { matchHost } from '../../src/routing/match-host.ts';
import type { RouteTable } from '../../src/routing/table.ts';

const id = (name: string): AppId => name as AppId;
const TABLE: RouteTable = {
  version: 1,
  self: 'p' as PeerId,
  hosts: { 'www.example.com': id('www'), '*.example.com': id('wild'), '*.a.example.com': id('deep') },
  suffixes: ['localhost', 'kith.example.com'],
  names: { blog: id('blog'), 'a-b': id('a-b') },
  apps: {},
  internalHost: null,
  ports: {},
  localDynos: {},
  members: [],
};

test.for([
  ['www.example.com', 'www'],
  ['WWW.Example.COM:8080', 'www'],
  ['www.example.com.', 'www'],
  ['blog.localhost:5000', 'blog'],
  ['blog.kith.example.com', 'blog'],
  ['other.example.com', 'wild'],
  ['x.y.example.com', 'wild'],
  ['x.a.example.com', 'deep'],
  ['a.example.com', 'wild'],
  ['other.kith.example.com', 'wild'],
  ['example.com', null],
  ['localhost', null],
  ['bloglocalhost', null],
  ['x.blog.localhost', null],
  ['constructor', null],
  ['__proto__.localhost', null],
  ['[::1]:80', null],
  ['', null],
] as const)('%s is the app %s', ([host, app]) => {
  expect(matchHost(TABLE, host)).toBe(app);
});
