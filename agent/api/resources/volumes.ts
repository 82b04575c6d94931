import { randomBytes, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlatformError } from '../../../src/errors.ts';
import type { PeerId, VolumeId } from '../../../src/ids.ts';
import { backupsInReach } from '../../../src/ledger/reach.ts';
import type { Backup, Volume } from '../../../src/ledger/volumes/volume-types.ts';
import { mustFindPeer, peerResources } from '../../../src/platform/peer.ts';
import { mustFindVolume, volumeResource, volumesOf } from '../../../src/platform/volume.ts';
import { mustFindBackup, volumeBackupResource } from '../../../src/platform/volume-backup.ts';
import type { VolumeBackupResource } from '../../../src/platform/volume-backup.ts';
import type { VolumeInfoResource, VolumeResource } from '../../../src/platform/volume.ts';
import type { VolumeRef } from '../../../src/shell/volumes.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { volumeEndpoints } from '../../../src/platform/endpoints/volumes.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { bodyUntil } from '../body-until.ts';
import { download } from '../download.ts';
import { limitBytes } from '../limit-bytes.ts';
import { route } from '../router.ts';

export const volumeRoutes = [
  route(volumeEndpoints.list, list),
  route(volumeEndpoints.create, create),
  route(volumeEndpoints.info, async (request) => ok(await info(request))),
  route(volumeEndpoints.update, mount),
  route(volumeEndpoints.destroy, destroy),
  route(volumeEndpoints.move, move),
  route(volumeEndpoints.backup, backup),
  route(volumeEndpoints.restore, restore),
  route(volumeEndpoints.backups, backups),
  route(volumeEndpoints.store, store),
  route(volumeEndpoints.restoreBackup, restoreBackup),
  route(volumeEndpoints.forget, forget),
];

/** Its peer hears of a new volume at once, and makes an empty folder. */
const READY_MS = 5_000;
const LOOK_MS = 20;
const ARCHIVE_BYTES_MAX = 1024 ** 4;
// Of a transfer nobody knows how long it takes, only that it moves.
const SILENCE_MS = 60_000;

function list(request: ApiRequest): Reply {
  const app = request.app();
  return ok(volumesOf(app).map((volume) => volumeResource(request.api.host.view(), app, volume)));
}

/** On the peer that is asked, unless another is named. */
async function create(
  request: ApiRequest,
  { name, peer }: BodyOf<typeof volumeEndpoints.create>,
): Promise<Reply> {
  const { host } = request.api;
  const place = { peer: peer == null ? host.self : mustBeAlive(request, peer), copy: newCopy() };
  const volume = randomUUID() as VolumeId;
  await request.command({ type: 'volume.create', app: request.app().id, volume, name, place });
  const deadline = performance.now() + READY_MS;
  while (request.app().volumes.get(volume)?.ready === false && performance.now() < deadline) {
    await sleep(LOOK_MS);
  }
  return created(shown(request, mustFindVolume(request.app(), volume)));
}

async function mount(
  request: ApiRequest,
  { mount: wanted }: BodyOf<typeof volumeEndpoints.update>,
): Promise<Reply> {
  const ref = refOf(request);
  const value = wanted && { process: wanted.type, path: wanted.path };
  await request.command({ type: 'volume.mount', ...ref, mount: value });
  return ok(shown(request, mustFindVolume(request.app(), ref.volume)));
}

async function destroy(request: ApiRequest): Promise<Reply> {
  const volume = mustFind(request);
  const resource = shown(request, volume);
  await request.command({ type: 'volume.destroy', ...refOf(request) });
  return ok(resource);
}

/** Answers once the volume is there: `GET` tells meanwhile what is being done. */
async function move(request: ApiRequest, { peer }: BodyOf<typeof volumeEndpoints.move>): Promise<Reply> {
  const ref = refOf(request);
  await request.api.volumes.move(ref, mustBeAlive(request, peer));
  return ok(shown(request, mustFindVolume(request.app(), ref.volume)));
}

/** A `.tar.zst` of the files. Its dynos run again before the first byte is sent. */
async function backup(request: ApiRequest): Promise<null> {
  const { api } = request;
  using watch = api.openStreams.watch(request.grant('operate'));
  const { archive, bytes } = await api.volumes.backup(refOf(request));
  try {
    const file = createReadStream(api.blobs.path(archive));
    const what = { what: 'backup of a volume', type: 'application/zstd', length: bytes };
    await download(request, file, { ...what, ended: watch.signal });
  } finally {
    await api.volumes.drop(archive);
  }
  return null;
}

async function restore(request: ApiRequest): Promise<Reply> {
  const { api, message } = request;
  const ref = refOf(request);
  using watch = api.openStreams.watch(request.grant('operate'));
  message.socket.setTimeout(SILENCE_MS, () => message.socket.destroy());
  const archive = await api.blobs
    .write(bodyUntil(watch.signal, message).compose(limitBytes('archive', ARCHIVE_BYTES_MAX)))
    .finally(() => message.socket.setTimeout(0));
  try {
    watch.signal.throwIfAborted();
    await api.volumes.restore(ref, archive.id);
  } finally {
    await api.volumes.drop(archive.id);
  }
  return ok(shown(request, mustFindVolume(request.app(), ref.volume)));
}

/** The newest first, of volumes that are gone as well. */
function backups(request: ApiRequest): Reply {
  const app = request.app();
  return ok(backupsInReach(app).map((backup) => shownBackup(request, backup)));
}

/** Answers once the other peer has it: `GET` of the volume tells meanwhile what is being done. */
async function store(request: ApiRequest, { peer }: BodyOf<typeof volumeEndpoints.store>): Promise<Reply> {
  const id = await request.api.volumes.store(refOf(request), mustBeAlive(request, peer));
  // Written by the volume's peer: this one hears of it in a moment.
  const deadline = performance.now() + READY_MS;
  while (!request.app().backups.has(id) && performance.now() < deadline) await sleep(LOOK_MS);
  return created(shownBackup(request, mustFindBackup(request.app(), id)));
}

async function restoreBackup(
  request: ApiRequest,
  { backup }: BodyOf<typeof volumeEndpoints.restoreBackup>,
): Promise<Reply> {
  const ref = refOf(request);
  await request.api.volumes.restoreBackup(ref, mustFindBackup(request.app(), backup).archive);
  return ok(shown(request, mustFindVolume(request.app(), ref.volume)));
}

/** Its archive goes with the next collection of garbage, a day after it came at the earliest. */
async function forget(request: ApiRequest): Promise<Reply> {
  const app = request.app();
  const backup = mustFindBackup(app, request.param('backup'));
  const resource = shownBackup(request, backup);
  const { id, volume } = backup;
  await request.command({ type: 'volume.backup', app: app.id, volume, backup: id, kept: null });
  return ok(resource);
}

async function info(request: ApiRequest): Promise<VolumeInfoResource> {
  const volume = mustFind(request);
  const unknown = { bytes: null, doing: null };
  const status = await request.api.volumes.status(refOf(request)).catch((err: unknown) => {
    request.api.log.debug({ volume: volume.id, err }, 'volume not asked about');
    return unknown;
  });
  return { ...shown(request, volume), ...status };
}

function shown(request: ApiRequest, volume: Volume): VolumeResource {
  return volumeResource(request.api.host.view(), request.app(), volume);
}

function shownBackup(request: ApiRequest, backup: Backup): VolumeBackupResource {
  const { host } = request.api;
  return volumeBackupResource(host.view(), host.peers(), request.app(), backup);
}

function mustFind(request: ApiRequest): Volume {
  return mustFindVolume(request.app(), request.param('volume'));
}

function refOf(request: ApiRequest): VolumeRef {
  return { app: request.app().id, volume: mustFind(request).id };
}

function mustBeAlive(request: ApiRequest, name: string): PeerId {
  const { host } = request.api;
  const peer = mustFindPeer(peerResources(host.view(), host.peers(), host.self), name);
  if (peer.state === 'alive') return peer.id as PeerId;
  throw new PlatformError('conflict', `Cannot have a volume on "${peer.name}": that peer is ${peer.state}`, {
    hint: 'See `kith peers`',
  });
}

function newCopy(): string {
  return randomBytes(8).toString('hex');
}
