import { z } from 'zod';
import { PlatformError } from '../../src/errors.ts';
import type { AppId, BackupId, BlobId, PeerId, VolumeId } from '../../src/ids.ts';
import { assertNever } from '../../src/step.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import type { VolumeBackup, VolumeRef, Volumes, VolumeStatus } from '../../src/shell/volumes.ts';
import { callPeer, serveCalls } from '../lib/peer-call.ts';
import type { Tasks } from '../lib/tasks.ts';
import { untilLinked } from '../lib/until-linked.ts';
import { COPY_MS, VolumeCopying, type VolumeCopyingParts } from './volume-copying.ts';
import { VolumeFolders } from './volume-folders.ts';
import { VolumeKeeper, type VolumeKeeperParts } from './volume-keeper.ts';

const SERVICE = 'volume';
/** Somebody waits before a terminal. */
const STATUS_MS = 5_000;

const id = z.string().regex(/^[0-9a-f-]{36}$/);
const ref = {
  app: id.transform((app) => app as AppId),
  volume: id.transform((volume) => volume as VolumeId),
};
const copy = z.string().regex(/^[0-9a-f]{16}$/);
const archive = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform((blob) => blob as BlobId);
const peer = z
  .string()
  .max(128)
  .transform((text) => text as PeerId);
const requestShape = z.discriminatedUnion('do', [
  z.object({ do: z.literal('move'), ...ref, to: peer }),
  z.object({ do: z.literal('backup'), ...ref }),
  z.object({ do: z.literal('store'), ...ref, to: peer }),
  z.object({ do: z.literal('keep'), ...ref, archive }),
  z.object({ do: z.literal('restore'), ...ref, archive, from: z.literal('holders').exactOptional() }),
  z.object({ do: z.literal('receive'), ...ref, copy, archive }),
  z.object({ do: z.literal('status'), ...ref }),
  z.object({ do: z.literal('drop'), archive }),
]);
type Request = z.input<typeof requestShape>;
const backupShape = z.object({ archive, bytes: z.number().int().min(0) });
const storedShape = z.object({ backup: z.string().transform((backup) => backup as BackupId) });
const statusShape = z.object({ bytes: z.number().nullable(), doing: z.string().nullable() });

type Parts = Omit<VolumeCopyingParts, 'folders' | 'send' | 'give' | 'keep'> &
  Pick<VolumeKeeperParts, 'tasks' | 'log'> & {
    /** DIR/volumes */
    readonly dir: string;
    readonly mesh: Pick<Mesh, 'open' | 'serve' | 'self' | 'isConnected'>;
    readonly tasks: Tasks;
    /** Other live peers that hold a blob. */
    readonly holders: (blob: BlobId) => readonly PeerId[];
  };

export async function openVolumes(parts: Parts): Promise<AgentVolumes> {
  return new AgentVolumes(parts, await VolumeFolders.open(parts.dir));
}

/** Volumes wherever they are: what is asked of one is done by the peer that has it. */
export class AgentVolumes implements Volumes {
  readonly keeper: VolumeKeeper;
  readonly #parts: Parts;
  readonly #folders: VolumeFolders;
  readonly #copying: VolumeCopying;

  constructor(parts: Parts, folders: VolumeFolders) {
    const busy = new Set<VolumeId>();
    this.#parts = parts;
    this.#folders = folders;
    this.keeper = new VolumeKeeper({ ...parts, folders, busy });
    const send = async (
      to: PeerId,
      { app, volume }: VolumeRef,
      asCopy: string,
      blob: BlobId,
    ): Promise<void> => {
      await this.#ask(to, { do: 'receive', app, volume, copy: asCopy, archive: blob }, COPY_MS);
    };
    const give = async (to: PeerId, { app, volume }: VolumeRef, blob: BlobId): Promise<void> => {
      await this.#ask(to, { do: 'keep', app, volume, archive: blob }, COPY_MS);
    };
    const keep = (): void => this.keeper.look();
    this.#copying = new VolumeCopying({ ...parts, folders, send, give, keep }, busy);
  }

  /** Answers other peers; once the agent can be asked. */
  serve(): void {
    serveCalls(this.#parts.mesh, SERVICE, (request, from) => this.#answer(request, from));
  }

  /** Where a dyno of this peer finds a copy. */
  path(volume: VolumeId, copyName: string): string {
    return this.#folders.path(volume, copyName);
  }

  async move({ app, volume }: VolumeRef, to: PeerId): Promise<void> {
    const owner = this.#owner({ app, volume });
    if (owner === null) await this.#copying.move({ app, volume }, to);
    else await this.#ask(owner, { do: 'move', app, volume, to }, COPY_MS);
  }

  async backup({ app, volume }: VolumeRef): Promise<VolumeBackup> {
    const owner = this.#owner({ app, volume });
    if (owner === null) return this.#copying.backup({ app, volume });
    const made = backupShape.parse(await this.#ask(owner, { do: 'backup', app, volume }, COPY_MS));
    const signal = AbortSignal.any([this.#parts.closing, AbortSignal.timeout(COPY_MS)]);
    try {
      await this.#parts.blobs.fetch(made.archive, [owner], signal);
    } finally {
      await this.#ask(owner, { do: 'drop', archive: made.archive }, STATUS_MS);
    }
    return made;
  }

  async restore({ app, volume }: VolumeRef, blob: BlobId): Promise<void> {
    const owner = this.#owner({ app, volume });
    if (owner === null) await this.#copying.restore({ app, volume }, blob, [this.#parts.mesh.self]);
    else await this.#ask(owner, { do: 'restore', app, volume, archive: blob }, COPY_MS);
  }

  async store({ app, volume }: VolumeRef, to: PeerId): Promise<BackupId> {
    const owner = this.#owner({ app, volume });
    if (owner === null) return this.#copying.store({ app, volume }, to);
    return storedShape.parse(await this.#ask(owner, { do: 'store', app, volume, to }, COPY_MS)).backup;
  }

  async restoreBackup({ app, volume }: VolumeRef, blob: BlobId): Promise<void> {
    const owner = this.#owner({ app, volume });
    if (owner === null) await this.#copying.restore({ app, volume }, blob, this.#parts.holders(blob));
    else await this.#ask(owner, { do: 'restore', app, volume, archive: blob, from: 'holders' }, COPY_MS);
  }

  async status({ app, volume }: VolumeRef): Promise<VolumeStatus> {
    const owner = this.#owner({ app, volume });
    if (owner === null) return this.#copying.status({ app, volume });
    return statusShape.parse(await this.#ask(owner, { do: 'status', app, volume }, STATUS_MS));
  }

  drop(blob: BlobId): Promise<void> {
    return this.#copying.drop(blob);
  }

  async #answer(request: unknown, from: PeerId): Promise<unknown> {
    const asked = requestShape.parse(request);
    if (asked.do === 'drop') return this.#copying.drop(asked.archive);
    const { app, volume } = asked;
    switch (asked.do) {
      case 'move':
        return this.#copying.move({ app, volume }, asked.to);
      case 'backup':
        return this.#copying.backup({ app, volume });
      case 'store':
        return { backup: await this.#copying.store({ app, volume }, asked.to) };
      case 'keep':
        return this.#copying.keep(asked.archive, from);
      case 'restore': {
        const givers = asked.from === undefined ? [from] : this.#parts.holders(asked.archive);
        return this.#copying.restore({ app, volume }, asked.archive, givers);
      }
      case 'receive':
        return this.#copying.receive({ app, volume }, asked.copy, asked.archive, [from]);
      case 'status':
        return this.#copying.status({ app, volume });
      default:
        return assertNever(asked);
    }
  }

  async #ask(owner: PeerId, request: Request, withinMs: number): Promise<unknown> {
    const { mesh, closing } = this.#parts;
    await untilLinked(mesh, owner, closing);
    return callPeer(mesh, owner, SERVICE, request, withinMs);
  }

  /** The peer that has the volume; null for this one. */
  #owner({ app, volume }: VolumeRef): PeerId | null {
    const found = this.#parts.host().view().apps.get(app)?.volumes.get(volume);
    if (found === undefined) {
      throw new PlatformError('not_found', "Couldn't find that volume.", { resource: 'volume' });
    }
    return found.place.peer === this.#parts.mesh.self ? null : found.place.peer;
  }
}
