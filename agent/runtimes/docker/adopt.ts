import type { ContainerInfo } from 'dockerode';
import type { DynoId } from '../../../src/ids.ts';
import type { DynoRuntimeEvent } from '../../../src/shell/runtime.ts';
import { berthIdOf, berthOf, type Berth } from './berths.ts';
import { DockerDyno } from './docker-dyno.ts';
import { within } from '../../lib/engine.ts';
import { LABEL } from './labels.ts';
import type { DockerParts } from './parts.ts';
import { acceptingAddress } from '../lib/watch-address.ts';

const ASK_MS_MAX = 15_000;
/** An agent that starts is busy: a dyno that answers must not be taken for one that does not, and get no requests. */
const ACCEPT_MS_MAX = 2_000;
/** A dyno without a port is up when it has lived this long. */
const ALIVE_MS = 500;

type AdoptOptions = {
  readonly parts: DockerParts;
  readonly isKnown: (dyno: DynoId) => boolean;
  /** Lines up to this one were told by a former agent. */
  readonly lastSeq: (dyno: DynoId) => number;
  readonly emit: (event: DynoRuntimeEvent) => void;
};

/** Dynos that a former agent started, as the Engine's list of this peer's containers tells of them. */
export async function adoptDynos(
  infos: readonly ContainerInfo[],
  options: AdoptOptions,
): Promise<readonly DockerDyno[]> {
  const berths = new Map(infos.map((info) => [info.Id, berthOf(info, options.parts.network.name)]));
  const news = infos.filter(
    ({ Labels, State }) =>
      Labels[LABEL.role] === 'dyno' && State !== 'created' && !options.isKnown(dynoIdOf(Labels)),
  );
  return await Promise.all(
    news.map((info) => adoptDyno(info, berths.get(berthIdOf(info.Labels)) ?? null, options)),
  );
}

/** @param berth null when it is gone */
async function adoptDyno(
  { Id, Labels }: ContainerInfo,
  berth: Berth | null,
  { parts, lastSeq, emit }: AdoptOptions,
): Promise<DockerDyno> {
  const id = dynoIdOf(Labels);
  const toldSeq = lastSeq(id);
  const port = Labels[LABEL.port] === undefined ? null : Number(Labels[LABEL.port]);
  const container = parts.engine.getContainer(Id);
  const { State } = await within(ASK_MS_MAX, 'for a container', container.inspect());
  const hosts = berth?.hosts ?? [];
  const dyno = new DockerDyno({
    dyno: id,
    name: Labels[LABEL.name] ?? '',
    container,
    berth: Labels[LABEL.berth] ?? '',
    hosts,
    port,
    isSlug: Labels[LABEL.format] === 'slug',
    labels: JSON.parse(Labels[LABEL.labels] ?? '{}') as Record<string, string>,
    stdio: null,
    isAttached: Labels[LABEL.attached] !== undefined,
    position: await parts.files.position(id, toldSeq),
    toldSeq,
    emit,
  });
  const outOfMemory = State.OOMKilled && State.ExitCode !== 0;
  dyno.found({
    listening: State.Running && port !== null ? await acceptingAddress(hosts, port, ACCEPT_MS_MAX) : null,
    alive: State.Running && port === null && Date.now() - Date.parse(State.StartedAt) > ALIVE_MS,
    exited: State.Running ? null : { status: State.ExitCode, signal: null, outOfMemory },
  });
  return dyno;
}

export function dynoIdOf(labels: Readonly<Record<string, string>>): DynoId {
  return (labels[LABEL.dyno] ?? '') as DynoId;
}
