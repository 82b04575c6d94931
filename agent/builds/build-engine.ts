import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { totalmem } from 'node:os';
import type Docker from 'dockerode';
import type { AppId } from '../../src/ids.ts';
import { isGone } from '../lib/docker.ts';
import { findEngine } from '../lib/engine.ts';

/** The Engine that builds run in, and what they get of it. */
export type BuildEngine = {
  readonly docker: Docker;
  /** The stack. */
  readonly image: string;
  /** Reaches the outside, but not this host. */
  readonly network: string;
  /** Tells this peer's containers, and names of images, from those of others on the same Engine. */
  readonly owner: string;
  readonly memoryMiB: number;
};

/** On containers of builds. Not the runtime's label: what it does not know of, it removes. */
export const BUILD_LABEL = 'kith.builds';
/** The network that the runtime has made, and guards. */
const NETWORK = 'kith';
const MEMORY_MIB_MAX = 4_096;
const MIB = 2 ** 20;

/**
 * How this host reaches the network is the host's business: whom it trusts, and where its package tools look. Builds that run as
 * processes see these too.
 */
const CERTIFICATES = ['/etc/ssl/certs', '/usr/share/ca-certificates', '/usr/local/share/ca-certificates'];
const CERTIFICATE_KEYS = [
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'GIT_SSL_CAINFO',
  'PIP_CERT',
  'CURL_CA_BUNDLE',
];
const TOOL_SETTINGS = ['/etc/pip.conf', '/etc/npmrc', '/etc/gemrc', '/etc/gitconfig'];

/** Connects to the Engine, and removes what builds of a former agent left there; null where none answers. */
export async function openBuildEngine(dir: string, image: string): Promise<BuildEngine | null> {
  const docker = await findEngine();
  if (docker === null) return null;
  const owner = createHash('sha256').update(dir).digest('hex').slice(0, 16);
  const memoryMiB = Math.min(MEMORY_MIB_MAX, Math.floor(totalmem() / MIB / 2));
  const engine = { docker, image, network: NETWORK, owner, memoryMiB };
  await removeLeftovers(engine);
  return engine;
}

/** Ends all containers of this peer's builds: to be called while none runs. */
export async function removeLeftovers({ docker, owner }: BuildEngine): Promise<void> {
  const filters = { label: [`${BUILD_LABEL}=${owner}`] };
  for (const { Id } of await docker.listContainers({ all: true, filters })) {
    await removeContainer(docker.getContainer(Id));
  }
}

export async function removeContainer(container: Docker.Container): Promise<void> {
  try {
    await container.remove({ force: true, v: true });
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** What the Engine keeps of an app's builds by Dockerfile: the image that the next one begins from. */
export function buildImageName(owner: string, app: AppId): string {
  return `kith/build:${owner}.${app}`;
}

/** Removes what is kept for apps that `isLive` does not know. */
export async function removeOldImages(
  { docker, owner }: BuildEngine,
  isLive: (app: AppId) => boolean,
): Promise<void> {
  const prefix = buildImageName(owner, '' as AppId);
  const images = await docker.listImages({ filters: { reference: [`${prefix}*`] } });
  for (const tag of images.flatMap(({ RepoTags }) => RepoTags ?? [])) {
    const [app = ''] = tag.slice(prefix.length).split('.');
    if (!tag.startsWith(prefix) || isLive(app as AppId)) continue;
    // One that a container uses stays until the next time.
    await docker
      .getImage(tag)
      .remove()
      .catch(() => undefined);
  }
}

/** Files and folders of this host that a build reaches the network by. */
export function networkSettings(env: Readonly<Record<string, string>>): readonly string[] {
  const isInside = (path: string): boolean => CERTIFICATES.some((folder) => path.startsWith(`${folder}/`));
  const named = CERTIFICATE_KEYS.flatMap((key) => env[key] ?? []).filter((path) => existsSync(path));
  const others = [...named, ...named.map((path) => realpathSync(path))].filter((path) => !isInside(path));
  return [...new Set([...CERTIFICATES, ...TOOL_SETTINGS, ...others])].filter((path) => existsSync(path));
}
