import { expect, test } from 'vitest';
import type { BackupId, BlobId, VolumeId } from '../../src/ids.ts';
import { startApi } from './harness.ts';

test('a volume is created on the peer that is asked, shown by name or id, mounted and destroyed', async () => {
  await using api = await startApi();
  const app = await api.deployedApp();
  const at = '/kith/apps/blog/volumes';
  const refused = await api.call('POST', at, { name: 'No Name' });
  expect(refused).toMatchObject({ status: 422, body: { id: 'invalid_params' } });
  const made = api.call('POST', at, { name: 'data' });
  const volume = await firstVolume();
  const { copy } = volume.place;
  api.host.write(
    { type: 'volume.ready', app, volume: volume.id, by: api.host.self, copy },
    { user: 'kith', request: null },
  );
  expect(await made).toMatchObject({ status: 201, body: { name: 'data', state: 'ready', mount: null } });
  const mount = { type: 'web', path: '/app/data' };
  expect(await api.call('PATCH', `${at}/data`, { mount })).toMatchObject({ status: 200, body: { mount } });
  expect(await api.call('GET', `${at}/${volume.id}`)).toMatchObject({ status: 200, body: { bytes: null } });
  expect(await api.call('DELETE', `${at}/data`)).toMatchObject({ status: 409 });
  await api.call('PATCH', `${at}/data`, { mount: null });
  expect(await api.call('DELETE', `${at}/data`)).toMatchObject({ status: 200 });
  expect(await api.call('GET', at)).toMatchObject({ status: 200, body: [] });
  expect(await api.call('GET', `${at}/data`)).toMatchObject({ status: 404 });

  async function firstVolume() {
    for (;;) {
      const [found] = api.host.view().apps.get(app)?.volumes.values() ?? [];
      if (found !== undefined) return found;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
});

test('what asks for another peer names one that is there', async () => {
  await using api = await startApi();
  await api.deployedApp();
  const answer = await api.call('POST', '/kith/apps/blog/volumes', { name: 'data', peer: 'nowhere' });
  expect(answer).toMatchObject({ status: 404, body: { resource: 'peer' } });
});

test('backups that peers keep are listed with who has them, and given up', async () => {
  await using api = await startApi();
  const app = await api.deployedApp();
  const volume = '00000000-0000-4000-8000-000000000001' as VolumeId;
  const { self } = api.host;
  const by = { user: 'kith', request: null };
  const place = { peer: self, copy: '00000000000000c1' };
  api.host.write({ type: 'volume.create', app, volume, name: 'data', place }, by);
  const kept = { peer: self, archive: 'a'.repeat(64) as BlobId, bytes: 9 };
  api.host.write({ type: 'volume.backup', app, volume, backup: '1f0c22ab' as BackupId, kept }, by);
  const at = '/kith/apps/blog/volume-backups';
  expect(await api.call('GET', at)).toMatchObject({
    status: 200,
    body: [{ id: '1f0c22ab', volume: { name: 'data' }, bytes: 9, peer: { id: self }, held_by: [] }],
  });
  const restore = await api.call('POST', '/kith/apps/blog/volumes/data/restore', { backup: 'none' });
  expect(restore).toMatchObject({ status: 404, body: { resource: 'backup' } });
  expect(await api.call('DELETE', `${at}/1f0c22ab`)).toMatchObject({ status: 200 });
  expect(await api.call('GET', at)).toMatchObject({ status: 200, body: [] });
  expect(await api.call('DELETE', `${at}/1f0c22ab`)).toMatchObject({ status: 404 });
});
