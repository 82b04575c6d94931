import { expect, test } from 'vitest';
import type { PortResource } from '../../src/platform/port.ts';
import { runKith, type Ran } from './run-kith.ts';
import { StubApi } from './stub-api.ts';

const AT = '/kith/apps/blog/ports';
const PORT: PortResource = {
  app: { id: 'app-id', name: 'blog' },
  type: 'db',
  number: 61_500,
  address: 'kith.internal:61500',
  dynos: { up: 1, wanted: 2 },
  created_at: '2026-01-02T03:04:05.000Z',
};

function kith(stub: StubApi, line: string): Promise<Ran> {
  const env = { KITH_HOST: stub.host, KITH_TOKEN: 'secret', KITH_APP: 'blog' };
  return runKith(line.split(' '), { env });
}

test('ports lists the open process types of an app, or of all', async () => {
  await using stub = await StubApi.start();
  stub.on(`GET ${AT}`, [PORT]).on('GET /kith/ports', []);
  expect((await kith(stub, 'ports')).stdout).toBe(
    'APP   TYPE  ADDRESS              DYNOS UP\n' +
      '────  ────  ───────────────────  ────────\n' +
      'blog  db    kith.internal:61500  1 of 2\n',
  );
  expect((await kith(stub, 'ports --all')).stdout).toBe('No open process types\n');
  expect(JSON.parse((await kith(stub, 'ports --json')).stdout)).toEqual([PORT]);
  stub.on(`GET ${AT}`, []);
  expect((await kith(stub, 'ports')).stdout).toBe('No open process types on ⬢ blog\n');
});

test('ports:open prints the address, and takes a number that is one', async () => {
  await using stub = await StubApi.start();
  stub.on(`POST ${AT}`, PORT).on(`DELETE ${AT}/db`, PORT);
  const opened = await kith(stub, 'ports:open db');
  expect(opened.stdout).toBe('db is reached at kith.internal:61500\n');
  expect(stub.sent(`POST ${AT}`).body).toEqual({ type: 'db', number: null });
  await kith(stub, 'ports:open db --number 61500');
  expect(stub.sent(`POST ${AT}`).body).toEqual({ type: 'db', number: 61_500 });
  const refused = await kith(stub, 'ports:open db --number psql');
  expect(refused.stderr).toContain('"psql" is no port number');
  expect((await kith(stub, 'ports:close db')).stdout).toBe('kith.internal:61500 is closed\n');
});
