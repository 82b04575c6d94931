import type { Container } from 'dockerode';
import type { Logger } from 'pino';
import { reasonOf, statusOf, unlessGone, within, type Engine } from '../../lib/engine.ts';
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
  /** MiB that a dyno may write; null where nothing bounds it. */
  readonly diskMiB: number | null;
};

type Asked = {
  readonly peer: string;
  readonly image: string;
  /** MiB that a dyno should be able to write; 0: no bound is wanted. */
  readonly dynoDiskMiB: number;
  readonly log: Logger;
};

/** Asks the Engine what it can do. */
export async function isolationOf(engine: Engine, network: DynoNetwork, asked: Asked): Promise<Isolation> {
  const info = (await within(ASK_MS_MAX, 'what it can do', engine.info())) as EngineInfo;
  const hasSeccomp = (info.SecurityOptions ?? []).some((option) => option.includes('seccomp'));
  const diskMiB = (await hasQuota(engine, info, asked)) ? asked.dynoDiskMiB : null;
  const sentence =
    `containers of Docker ${info.ServerVersion}: own files, processes, IPC and network` +
    `${network.hasIpv6 ? ' (IPv4 and IPv6)' : ''}; not root, no capabilities; ` +
    `${hasSeccomp ? 'seccomp' : 'no seccomp here'}; limits of memory, CPU and processes` +
    (diskMiB === null ? '; no disk limit' : `, ${amountOf(diskMiB)} of disk`);
  return { sentence, diskMiB };
}

/** What a container is asked for, so that it can write no more than this. */
export function diskQuota(diskMiB: number | null): { readonly StorageOpt?: { readonly size: string } } {
  return diskMiB === null ? {} : { StorageOpt: { size: `${diskMiB}M` } };
}

/** Only a try tells whether a driver that knows quotas has them on this disk. */
async function hasQuota(
  engine: Engine,
  info: EngineInfo,
  { peer, image, dynoDiskMiB, log }: Asked,
): Promise<boolean> {
  if (dynoDiskMiB === 0 || !knowsQuotas(info)) return false;
  const request = {
    Image: image,
    Cmd: ['true'],
    Labels: ownedBy(peer, 'image'),
    HostConfig: diskQuota(dynoDiskMiB),
  };
  let trial: Container;
  try {
    trial = await within(ASK_MS_MAX, 'whether it bounds disks', engine.createContainer(request));
  } catch (error) {
    if (statusOf(error) === null) throw error;
    // Such as "only for overlay over xfs with 'pquota' mount option".
    log.info({ driver: info.Driver, reason: reasonOf(error) }, 'what dynos write is not bounded here');
    return false;
  }
  await forget(trial, log);
  return true;
}

/** One that stays is nobody's, and removed with what else is: it says nothing of quotas. */
async function forget(trial: Container, log: Logger): Promise<void> {
  try {
    await within(ASK_MS_MAX, 'to remove a container', unlessGone(trial.remove({ force: true })));
  } catch (err) {
    log.warn({ container: trial.id, err }, 'trial container not removed yet');
  }
}

/** Other drivers refuse a container with a bound, or take it and do not keep to it. */
function knowsQuotas({ Driver, DriverStatus }: EngineInfo): boolean {
  if (Driver !== 'overlay2') return Driver === 'btrfs' || Driver === 'zfs';
  return DriverStatus?.some(([name, value]) => name === 'Backing Filesystem' && value === 'xfs') ?? false;
}

function amountOf(mib: number): string {
  return mib % 1024 === 0 ? `${mib / 1024} GiB` : `${mib} MiB`;
}
