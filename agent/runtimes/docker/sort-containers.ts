import type { ContainerInfo } from 'dockerode';
import { berthIdOf, berthOf, type Berth } from './berths.ts';
import { LABEL } from './labels.ts';

export type SortedContainers = {
  readonly dynos: readonly ContainerInfo[];
  /** Networks that run and wait for a dyno, and that the pool does not know of. */
  readonly idleBerths: readonly Berth[];
  /** Nobody's: half made, or of a dyno that is gone. */
  readonly strays: readonly ContainerInfo[];
};

type Known = {
  readonly network: string;
  isWanted(dyno: ContainerInfo): boolean;
  isSpare(berthId: string): boolean;
};

/** What each container of this peer is to it now. */
export function sortContainers(infos: readonly ContainerInfo[], known: Known): SortedContainers {
  const dynos = infos.filter((info) => info.Labels[LABEL.role] === 'dyno' && known.isWanted(info));
  const taken = new Set([...dynos.map(({ Id }) => Id), ...dynos.map(({ Labels }) => berthIdOf(Labels))]);
  const others = infos.filter(({ Id }) => !taken.has(Id) && !known.isSpare(Id));
  const idle = others.flatMap((info) => {
    const berth = info.Labels[LABEL.role] === 'berth' ? berthOf(info, known.network) : null;
    return berth === null ? [] : [berth];
  });
  const idleIds = new Set(idle.map(({ id }) => id));
  return { dynos, idleBerths: idle, strays: others.filter(({ Id }) => !idleIds.has(Id)) };
}
