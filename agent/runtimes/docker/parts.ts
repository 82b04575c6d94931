import { mkdir, realpath } from 'node:fs/promises';
import type { Logger } from 'pino';
import { PlatformError } from '../../../src/errors.ts';
import { connectEngine, statusOf, within, type Engine } from '../../lib/engine.ts';
import { guardBridge } from './firewall.ts';
import { isolationOf, type Isolation } from './isolation.ts';
import { peerHash } from './labels.ts';
import { LaunchFiles } from './launch-files.ts';
import { ensureNetwork, type DynoNetwork } from './network.ts';
import { PortGate } from './port-gate.ts';

export type DockerRuntimeOptions = {
  /** The peer's data folder. */
  readonly dir: string;
  readonly log: Logger;
  /** Image that slugs run on. */
  readonly stackImage: string;
  /** `unix://…`; without it DOCKER_HOST, or the usual socket. */
  readonly host?: string;
  /** Name of the network that all peers of the Engine share. */
  readonly network?: string;
  /** MiB that one dyno may write where the Engine can bound it; 0, or none: as much as there is. */
  readonly dynoDiskMiB?: number;
};

/** What the driver stands on. */
export type DockerParts = {
  readonly engine: Engine;
  /** Names this data folder in the Engine. */
  readonly peer: string;
  readonly stackImage: string;
  readonly network: DynoNetwork;
  readonly portGate: PortGate;
  readonly isolation: Isolation;
  readonly files: LaunchFiles;
  readonly log: Logger;
};

const ASK_MS_MAX = 15_000;

/** Finds the Engine, and makes sure of the stack image and of a network that is guarded. */
export async function openParts(options: DockerRuntimeOptions): Promise<DockerParts> {
  const { stackImage, network: networkName = 'kith', dynoDiskMiB = 0 } = options;
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const dir = await realpath(options.dir);
  const peer = peerHash(dir);
  const log = options.log.child({ component: 'runtime' });
  const engine = await connectEngine(options.host);
  await mustHaveImage(engine, stackImage);
  const network = await ensureNetwork(engine, networkName);
  const helper = { engine, image: stackImage, peer };
  await guardBridge(network, helper);
  const portGate = new PortGate(network, helper);
  const asked = { peer, image: stackImage, dynoDiskMiB, log };
  const isolation = await isolationOf(engine, network, asked);
  const files = await LaunchFiles.open(dir, peer);
  return { engine, peer, stackImage, network, portGate, isolation, files, log };
}

async function mustHaveImage(engine: Engine, image: string): Promise<void> {
  try {
    await within(ASK_MS_MAX, 'for the stack image', engine.getImage(image).inspect());
  } catch (cause) {
    if (statusOf(cause) !== 404) throw cause;
    const message = `Cannot run dynos with Docker: the Engine has no stack image "${image}"`;
    throw new PlatformError('not_found', message, {
      hint: 'Make it with scripts/stack, or import one: kith stack:import FILE',
      cause,
    });
  }
}
