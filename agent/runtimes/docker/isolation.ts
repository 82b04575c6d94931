import type { Engine } from '../../lib/engine.ts';
import { within } from '../../lib/engine.ts';
import { ownedBy } from './labels.ts';
import type { DynoNetwork } from './network.ts';

const ASK_MS_MAX = 10_000;

type EngineInfo = {
  readonly ServerVersion: string;
  readonly Driver: string;
  readonly DriverStatus: readonly (readonly string[])[] | null;
  readonly SecurityOptions: readonly string[] | null;
};

export type Isolation = {
  /** One truthful sentence for `kith peers`. */
  readonly sentence: string;
  /** What a dyno may write, where the storage driver can count it. */
  readonly diskGib: number | null;
};

/** Heroku gives no number; it is there so that one dyno cannot fill a peer's disk. */
const DISK_GIB = 20;

/** Asks the Engine what it can do. */
export async function isolationOf(
  engine: Engine,
  network: DynoNetwork,
  { peer, image }: { readonly peer: string; readonly image: string },
): Promise<Isolation> {
  const info = (await within(ASK_MS_MAX, 'what it can do', engine.info())) as EngineInfo;
  const hasSeccomp = (info.SecurityOptions ?? []).some((option) => option.includes('seccomp'));
  const canQuota = (await hasQuota(engine, info, peer, image))
    ? `, ${DISK_GIB} GiB of disk`
    : '; no disk limit';
  const sentence =
    `containers of Docker ${info.ServerVersion}: own files, processes, IPC and network` +
    `${network.hasIpv6 ? ' (IPv4 and IPv6)' : ''}; not root, no capabilities; ` +
    `${hasSeccomp ? 'seccomp' : 'no seccomp here'}; limits of memory, CPU and processes${canQuota}`;
  return { sentence, diskGib: canQuota.startsWith(',') ? DISK_GIB : null };
}

/** Only overlay2 on XFS with project quotas, and only a try tells of those. */
async function hasQuota(engine: Engine, info: EngineInfo, peer: string, image: string): Promise<boolean> {
  const isXfs = info.DriverStatus?.some(([name, value]) => name === 'Backing Filesystem' && value === 'xfs');
  if (info.Driver !== 'overlay2' || isXfs !== true) return false;
  try {
    const probe = await engine.createContainer({
      Image: image,
      Cmd: ['true'],
      Labels: ownedBy(peer, 'image'),
      HostConfig: { StorageOpt: { size: `${DISK_GIB}G` } },
    });
    await probe.remove({ force: true });
    return true;
  } catch {
    // Said so: "only for overlay over xfs with 'pquota' mount option".
    return false;
  }
}
