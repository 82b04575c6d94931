import { access, constants, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export type Controller = 'memory' | 'pids' | 'cpu' | 'cpuacct';

/** Where this peer's dynos have their control groups: for each controller a folder that will hold one for each dyno. */
export type Hierarchies = {
  readonly version: 1 | 2;
  readonly parents: Readonly<Partial<Record<Controller, string>>>;
};

export type Mount = { readonly path: string; readonly type: string; readonly options: readonly string[] };

const CONTROLLERS: readonly Controller[] = ['memory', 'pids', 'cpu', 'cpuacct'];
/** Where the peer's own processes go when they stand where only groups may stand. */
const LEAF = 'kith-peer';

/**
 * Makes the folders, as far as this user may. A host may have controllers in either version, or some in each: the version
 * that bounds memory is taken.
 * @param owner names the peer, for several may share a host
 * @returns null when nothing can be bounded
 */
export async function makeHierarchies(owner: string): Promise<Hierarchies | null> {
  const mounts = parseMounts(await readFile('/proc/mounts', 'utf8'));
  const two = mounts.find((mount) => mount.type === 'cgroup2');
  const found = two === undefined ? null : await makeUnified(two.path, owner);
  const hierarchies = found ?? (await makeSeparate(mounts, owner));
  return Object.keys(hierarchies.parents).length === 0 ? null : hierarchies;
}

export function parseMounts(text: string): Mount[] {
  return text
    .split('\n')
    .map((line) => line.split(' '))
    .flatMap(([, path, type, options]) =>
      path === undefined || type === undefined ? [] : [{ path, type, options: options?.split(',') ?? [] }],
    );
}

/** Version 1: a tree for each controller, or for a few of them. */
async function makeSeparate(mounts: readonly Mount[], owner: string): Promise<Hierarchies> {
  const parents: Partial<Record<Controller, string>> = {};
  for (const controller of CONTROLLERS) {
    const mount = mounts.find(({ type, options }) => type === 'cgroup' && options.includes(controller));
    if (mount === undefined) continue;
    const parent = join(mount.path, `kith-${owner}`);
    if (await succeeds(() => mkdir(parent, { recursive: true }))) parents[controller] = parent;
  }
  return { version: 1, parents };
}

/** Version 2: one tree. Root makes its part at the top, as Engines do; others where a group was delegated to them. */
async function makeUnified(root: string, owner: string): Promise<Hierarchies | null> {
  const own = ownGroup(root, await readFile('/proc/self/cgroup', 'utf8'));
  const base = process.getuid?.() === 0 ? root : await delegatedGroup(root, own);
  if (base === null) return null;
  const available = await readWords(join(base, 'cgroup.controllers'));
  if (!available.includes('memory')) return null;
  const parent = join(base, `kith-${owner}`);
  if (!(await succeeds(() => mkdir(parent, { recursive: true })))) return null;
  const wanted = CONTROLLERS.filter((controller) => available.includes(controller));
  for (const controller of wanted) await enable(base, parent, controller);
  const enabled = await readWords(join(parent, 'cgroup.subtree_control'));
  const parents = Object.fromEntries(
    // Time used is told for every group, without a controller.
    [...CONTROLLERS.filter((controller) => enabled.includes(controller)), 'cpuacct'].map((name) => [
      name,
      parent,
    ]),
  );
  return enabled.length === 0 ? null : { version: 2, parents };
}

async function enable(base: string, parent: string, controller: Controller): Promise<void> {
  const add = (dir: string) => (): Promise<void> =>
    writeFile(join(dir, 'cgroup.subtree_control'), `+${controller}`);
  const isOn =
    (await readWords(join(base, 'cgroup.subtree_control'))).includes(controller) ||
    (await succeeds(add(base))) ||
    // A group with processes of its own may have no bounded groups below it: a peer's own step aside.
    (process.getuid?.() !== 0 && maySplit(base) && (await stepAside(base)) && (await succeeds(add(base))));
  if (isOn) await succeeds(add(parent));
}

async function stepAside(base: string): Promise<boolean> {
  const leaf = join(base, LEAF);
  return await succeeds(async () => {
    await mkdir(leaf, { recursive: true });
    for (const pid of await readWords(join(base, 'cgroup.procs'))) {
      await succeeds(() => writeFile(join(leaf, 'cgroup.procs'), pid));
    }
  });
}

/**
 * Whether a group may become one that has no processes of its own. Not a systemd service's: systemd starts the next agent
 * right there, and fails for as long as dynos of the last one live (219/CGROUP). A service whose agent is in a group below
 * it (`DelegateSubgroup`), and one of a user's own systemd, need no split.
 */
export function maySplit(group: string): boolean {
  return !group.endsWith('.service');
}

/** @param text of /proc/PID/cgroup */
export function ownGroup(root: string, text: string): string {
  return join(root, /^0::(.*)$/m.exec(text)?.[1] ?? '/');
}

/** The highest group, from `own` upwards, that was delegated to this user; null when not even that was. */
export async function delegatedGroup(root: string, own: string): Promise<string | null> {
  const isDelegated = (group: string): Promise<boolean> =>
    succeeds(() => access(join(group, 'cgroup.procs'), constants.W_OK));
  if (!(await isDelegated(own))) return null;
  let group = own;
  while (group !== root && (await isDelegated(dirname(group)))) group = dirname(group);
  return group;
}

async function readWords(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split(/\s+/).filter((word) => word !== '');
}

async function succeeds(action: () => Promise<unknown>): Promise<boolean> {
  return await action().then(
    () => true,
    () => false,
  );
}
