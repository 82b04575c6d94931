import { expect, test } from 'vitest';
import { dynoFact, wantedSlot } from '../placement/builders.ts';
import { startApi } from './harness.ts';

const AT = '/kith/apps/blog/ports';

test('a process type is opened, listed with its address and closed', async () => {
  await using api = await startApi();
  const app = await api.deployedApp();
  const port = {
    app: { id: app, name: 'blog' },
    type: 'db',
    number: 61_500,
    address: 'kith.internal:61500',
    dynos: { up: 0, wanted: 0 },
  };
  expect(await api.call('POST', AT, { type: 'db', number: 61_500 })).toMatchObject({
    status: 201,
    body: port,
  });
  expect(await api.call('POST', AT, { type: 'db' })).toMatchObject({ status: 201, body: port });
  expect(await api.call('GET', AT)).toMatchObject({ status: 200, body: [port] });
  expect(await api.call('GET', '/kith/ports')).toMatchObject({ status: 200, body: [port] });
  expect(await api.call('DELETE', `${AT}/db`)).toMatchObject({ status: 200, body: port });
  expect(await api.call('GET', '/kith/ports')).toMatchObject({ status: 200, body: [] });
  expect(await api.call('DELETE', `${AT}/db`)).toMatchObject({ status: 404, body: { resource: 'port' } });
});

test('of its dynos those are up that were given a port', async () => {
  await using api = await startApi();
  const app = await api.deployedApp();
  const slot = wantedSlot(`${app}/db.1`);
  const dynos = [dynoFact(slot), dynoFact(slot, { port: null }), dynoFact(slot, { phase: 'starting' })];
  api.host.announce({ dynos });
  await api.call('POST', AT, { type: 'db' });
  expect(await api.call('GET', AT)).toMatchObject({ body: [{ dynos: { up: 1 } }] });
});

test('a number out of range, one that is taken, and a name that no process type has are refused', async () => {
  await using api = await startApi();
  await api.deployedApp();
  await api.call('POST', AT, { type: 'db', number: 61_500 });
  expect(await api.call('POST', AT, { type: 'cache', number: 22 })).toMatchObject({
    status: 422,
    body: { id: 'invalid_params' },
  });
  expect(await api.call('POST', AT, { type: 'cache', number: 61_500 })).toMatchObject({
    status: 409,
    body: { message: 'Cannot open "cache" of "blog": port 61500 is taken' },
  });
  expect(await api.call('POST', AT, { type: 'no such' })).toMatchObject({ status: 422 });
});
