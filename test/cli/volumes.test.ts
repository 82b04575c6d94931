import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { VolumeBackupResource } from '../../src/platform/volume-backup.ts';
import type { VolumeInfoResource } from '../../src/platform/volume.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { runKith, type Ran } from './run-kith.ts';
import { StubApi } from './stub-api.ts';

const AT = '/kith/apps/blog/volumes';

const ATTIC = { id: 'attic-id', name: 'attic' };
const BACKUP: VolumeBackupResource = {
  id: '1f0c22ab',
  app: { id: 'app-id', name: 'blog' },
  volume: { id: 'volume-id', name: 'data' },
  bytes: 2 * 1024 ** 2,
  peer: ATTIC,
  held_by: [ATTIC],
  created_at: '2026-01-02T03:04:05.000Z',
};

function volumeOf(patch: Partial<VolumeInfoResource> = {}): VolumeInfoResource {
  return {
    id: 'volume-id',
    name: 'data',
    app: { id: 'app-id', name: 'blog' },
    state: 'ready',
    peer: { id: 'peer-id', name: 'pi' },
    mount: { type: 'web', path: '/app/data' },
    created_at: '2026-01-02T03:04:05.000Z',
    bytes: 3 * 1024 ** 2,
    doing: null,
    ...patch,
  };
}

function kith(stub: StubApi, line: string): Promise<Ran> {
  const env = { KITH_HOST: stub.host, KITH_TOKEN: 'secret', KITH_APP: 'blog' };
  return runKith(line.split(' '), { env });
}

test('volumes lists them with their state, machine and mount', async () => {
  await using stub = await StubApi.start();
  stub.on(`GET ${AT}`, [volumeOf(), volumeOf({ name: 'more', state: 'moving', mount: null })]);
  expect((await kith(stub, 'volumes')).stdout).toBe(
    'VOLUME  STATE   PEER  MOUNTED AT\n' +
      '──────  ──────  ────  ─────────────\n' +
      'data    ready   pi    web:/app/data\n' +
      'more    moving  pi\n',
  );
  stub.on(`GET ${AT}`, []);
  expect((await kith(stub, 'volumes')).stdout).toBe('No volumes on ⬢ blog\n');
});

test('volumes:create and volumes:mount say what was made and what follows from it', async () => {
  await using stub = await StubApi.start();
  stub.on(`POST ${AT}`, volumeOf({ mount: null })).on(`PATCH ${AT}/data`, volumeOf());
  expect((await kith(stub, 'volumes:create data --peer pi')).stderr).toContain('done, on pi');
  expect(stub.sent(`POST ${AT}`).body).toEqual({ name: 'data', peer: 'pi' });
  const { stderr } = await kith(stub, 'volumes:mount data web:/app/data');
  expect(stub.sent(`PATCH ${AT}/data`).body).toEqual({ mount: { type: 'web', path: '/app/data' } });
  expect(stderr).toContain('Dynos of web now run on pi alone, and are replaced stop-first');
  expect((await kith(stub, 'volumes:mount data /app/data')).stderr).toContain('web:/app/data');
  expect((await kith(stub, 'volumes:mount data run:/app/data')).stderr).toContain(
    'One-off dynos without a --type now run on pi alone',
  );
  await kith(stub, 'volumes:unmount data');
  expect(stub.sent(`PATCH ${AT}/data`).body).toEqual({ mount: null });
});

test('volumes:info tells its size, and volumes:move asks for the move', async () => {
  await using stub = await StubApi.start();
  stub.on(`GET ${AT}/data`, volumeOf()).on(`POST ${AT}/data/move`, volumeOf());
  expect((await kith(stub, 'volumes:info data')).stdout).toMatch(/Size: +3 MB/);
  expect((await kith(stub, 'volumes:move data attic')).stderr).toContain('to attic... done');
  expect(stub.sent(`POST ${AT}/data/move`).body).toEqual({ peer: 'attic' });
});

test('volumes:backup writes a whole file or none, and never over another', async () => {
  await using dir = await tempDir('kith-volumes-');
  await using stub = await StubApi.start();
  const file = join(dir.path, 'data.tar.zst');
  stub.on(`GET ${AT}/data/backup`, (_request, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('half');
    setImmediate(() => response.destroy());
  });
  expect((await kith(stub, `volumes:backup data --to ${file}`)).status).not.toBe(0);
  expect(existsSync(file) || existsSync(`${file}.partial`)).toBe(false);
  stub.on(`GET ${AT}/data/backup`, (_request, response) => {
    response.writeHead(200, { 'content-length': 10 }).end('0123456789');
  });
  expect((await kith(stub, `volumes:backup data --to ${file}`)).stderr).toContain(`done, 10 B in ${file}`);
  expect(readFileSync(file, 'utf8')).toBe('0123456789');
  expect((await kith(stub, `volumes:backup data --to ${file}`)).stderr).toContain('of this name already');
});

test('volumes:restore and volumes:destroy want the name once more', async () => {
  await using dir = await tempDir('kith-volumes-');
  await using stub = await StubApi.start();
  const file = join(dir.path, 'data.tar.zst');
  writeFileSync(file, '0123456789');
  stub.on(`GET ${AT}/data`, volumeOf());
  stub.on(`PUT ${AT}/data/restore`, volumeOf()).on(`DELETE ${AT}/volume-id`, volumeOf());
  for (const line of [`volumes:restore data ${file}`, 'volumes:destroy data']) {
    expect((await kith(stub, line)).stderr).toContain('nothing was done');
  }
  expect(stub.asked.filter((asked) => !asked.startsWith('GET'))).toEqual([]);
  await kith(stub, `volumes:restore data ${file} --confirm data`);
  expect(stub.sent(`PUT ${AT}/data/restore`).body).toBe('0123456789');
  await kith(stub, 'volumes:destroy data --confirm data');
  expect(stub.asked).toContain(`DELETE ${AT}/volume-id`);
});

test('volumes:backup --peer has a machine keep it, volumes:backups lists, volumes:restore --from puts it back', async () => {
  await using stub = await StubApi.start();
  stub.on(`GET ${AT}/data`, volumeOf()).on(`POST ${AT}/data/backups`, BACKUP);
  expect((await kith(stub, 'volumes:backup data --peer attic')).stderr).toContain(
    'done, 2 MB on attic: 1f0c22ab',
  );
  expect(stub.sent(`POST ${AT}/data/backups`).body).toEqual({ peer: 'attic' });
  expect((await kith(stub, 'volumes:backup data --peer attic --to x')).stderr).toContain('two places');

  const KEPT = '/kith/apps/blog/volume-backups';
  stub.on(`GET ${KEPT}`, [BACKUP, { ...BACKUP, id: '00000000', held_by: [] }]);
  const { stdout } = await kith(stub, 'volumes:backups');
  expect(stdout).toMatch(
    /1f0c22ab +data +2 MB +.* attic\n00000000 +data +2 MB +.* attic \(not reachable\)\n/,
  );
  stub.on(`GET ${KEPT}`, []);
  expect((await kith(stub, 'volumes:backups')).stdout).toBe('No backups of volumes of ⬢ blog on any peer\n');

  stub.on(`POST ${AT}/data/restore`, volumeOf());
  expect((await kith(stub, 'volumes:restore data --from 1f0c22ab')).stderr).toContain('nothing was done');
  await kith(stub, 'volumes:restore data --from 1f0c22ab --confirm data');
  expect(stub.sent(`POST ${AT}/data/restore`).body).toEqual({ backup: '1f0c22ab' });
  expect((await kith(stub, 'volumes:restore data')).stderr).toContain('Cannot tell what to restore');

  stub.on(`DELETE ${KEPT}/1f0c22ab`, BACKUP);
  expect((await kith(stub, 'volumes:backups:destroy 1f0c22ab')).stderr).toContain('nothing was done');
  await kith(stub, 'volumes:backups:destroy 1f0c22ab --confirm 1f0c22ab');
  expect(stub.asked).toContain(`DELETE ${KEPT}/1f0c22ab`);
});
