import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '../../../src/errors.ts';
import type { DynoSpec } from '../../../src/shell/runtime.ts';
import type { SlugFiles } from '../../../src/shell/slug-files.ts';
import type { CgroupFiles } from '../keeper/protocol.ts';
import { ownVolumes } from '../lib/volumes.ts';
import type { Cgroups } from './cgroups.ts';
import { dynoFiles, makeDynoFiles, removeDynoFiles, type DynoFiles } from './dyno-files.ts';
import { leftoverDirs } from './dynos-dir.ts';
import type { Sandbox } from './sandbox.ts';
import type { SlugStore } from './slug-store.ts';
import type { Users } from './users.ts';
import { placeVolumes, volumeUid } from './volumes.ts';

type Parts = {
  /** The peer's data folder. */ readonly dir: string;
  readonly owner: string;
  readonly dynosDir: string;
  readonly sandbox: Sandbox;
  readonly cgroups: Cgroups | null;
  readonly slugs: SlugStore;
  readonly users: Users | null;
};

/** What dynos have on this host beside their processes: a user, files and a control group each. */
export class DynoPlaces {
  readonly #parts: Parts;
  #claims: Promise<unknown> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  filesOf(dyno: string): DynoFiles {
    return dynoFiles(join(this.#parts.dynosDir, mustBePathPart(dyno)));
  }

  /** One of its own, or that of its volume; null when this peer has only one. */
  async userFor({ volumes }: DynoSpec, taken: ReadonlySet<number>): Promise<number | null> {
    const { users } = this.#parts;
    if (users === null) return null;
    if (volumes.length === 0) return users.take(taken);
    // One after the other: two dynos that are the first with a volume must get one user, not each its own.
    const claim = this.#claims.then(async () => {
      const uid = (await volumeUid(volumes)) ?? users.take(taken);
      await ownVolumes(volumes, uid);
      return uid;
    });
    this.#claims = claim.catch(() => null);
    return await claim;
  }

  /** To be removed even when it fails half-way. */
  async make(
    { dyno, slug, volumes, size }: DynoSpec,
    uid: number | null,
  ): Promise<{ files: DynoFiles; cgroup: CgroupFiles | null }> {
    const { sandbox, cgroups, slugs } = this.#parts;
    const files = this.filesOf(dyno);
    const fillApp = async (dest: string): Promise<void> => {
      await slugs.copyTo(mustBeSlug(slug), dest);
      await placeVolumes(volumes, dest, sandbox, uid);
    };
    await makeDynoFiles(files, { hostname: dyno, uid, fillApp });
    return { files, cgroup: (await cgroups?.make(dyno, size)) ?? null };
  }

  async remove(dyno: string): Promise<void> {
    await removeDynoFiles(this.filesOf(dyno));
    await this.#parts.cgroups?.remove(dyno);
  }

  /** Looks for what dynos left that nobody keeps any more; removes it when told, which new dynos need not wait for. */
  async findLeftovers(kept: ReadonlySet<string>): Promise<() => Promise<void>> {
    const { dir, owner, cgroups } = this.#parts;
    const groups = (await cgroups?.leftovers(kept)) ?? [];
    const paths = await leftoverDirs(dir, owner, kept);
    return async () => {
      for (const dyno of groups) await cgroups?.remove(dyno);
      for (const path of paths) await rm(path, { recursive: true, force: true });
    };
  }
}

/** Refuses what this driver cannot run. */
export function mustBeSlug(slug: SlugFiles): SlugFiles {
  if (slug.format !== 'slug') {
    throw new PlatformError(
      'unavailable',
      'Cannot run a container image: this peer runs dynos as processes',
      {
        hint: 'It needs a peer with Docker: `kith peers` shows which have it',
      },
    );
  }
  for (const { id } of [slug, ...slug.layers]) mustBePathPart(id);
  return slug;
}

/** Ids become names of folders: none may climb out of theirs. */
function mustBePathPart(id: string): string {
  if (/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/.test(id)) return id;
  throw new PlatformError(
    'bad_request',
    `Cannot use "${id}" as an id: expected letters, digits, "." and "-"`,
  );
}
