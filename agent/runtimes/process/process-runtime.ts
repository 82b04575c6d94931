import { createHash } from 'node:crypto';
import { mkdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { PlatformError } from '../../../src/errors.ts';
import type { DynoId } from '../../../src/ids.ts';
import type { DynoSpec, FoundDyno, Runtime, RuntimeEvent } from '../../../src/shell/runtime.ts';
import { Tasks } from '../../lib/tasks.ts';
import type { DynoRecord } from '../keeper/protocol.ts';
import { dynoFiles, makeDynoFiles, removeDynoFiles, type DynoFiles } from './dyno-files.ts';
import { leftoverDirs, makeDynosDir, removeDynosDirs } from './dynos-dir.ts';
import type { KeeperClient } from './keeper-client.ts';
import { KeeperLink } from './keeper-link.ts';
import { KnownDynos } from './known-dynos.ts';
import { launchOf } from './launch.ts';
import { Ports } from './ports.ts';
import { openSandbox, ownerMarker, type Sandbox } from './sandbox.ts';
import { SlugStore } from './slug-store.ts';
import { StatsReader } from './stats.ts';
import { SLUG_UID, Users } from './users.ts';

export type ProcessRuntimeOptions = {
  /** The peer's data folder. */ readonly dir: string;
  readonly log: Logger;
  readonly bubblewrap?: 'auto' | 'off';
};

/** The spare copy of a slug is made again when its dynos have had time to boot. */
const RESPARE_MS = 3_000;

/** Runs dynos as processes of this host, whose parent is a keeper that outlives the agent. */
export async function openProcessRuntime(options: ProcessRuntimeOptions): Promise<Runtime> {
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const dir = await realpath(options.dir);
  const log = options.log.child({ component: 'runtime' });
  const owner = createHash('sha256').update(dir).digest('hex').slice(0, 16);
  const isRoot = process.getuid?.() === 0;
  const inside = await makeDynosDir(dir, owner, false);
  const sandbox = await openSandbox(options.bubblewrap ?? 'auto', inside, isRoot, log);
  const dynosDir = await makeDynosDir(dir, owner, isRoot && sandbox.kind === 'none');
  const slugs = await SlugStore.open(join(dir, 'slugs'), isRoot ? SLUG_UID : null);
  const users = isRoot ? new Users() : null;
  return await ProcessRuntime.open({ dir, owner, dynosDir, sandbox, slugs, users, log });
}

type Parts = {
  readonly dir: string;
  /** Names this data folder's keeper in the environment of dynos without namespace. */ readonly owner: string;
  readonly dynosDir: string;
  readonly sandbox: Sandbox;
  readonly slugs: SlugStore;
  readonly users: Users | null;
  readonly log: Logger;
};

class ProcessRuntime implements Runtime {
  readonly kind = 'process';
  readonly #parts: Parts;
  readonly #tasks: Tasks;
  readonly #ports = new Ports();
  readonly #dynos = new KnownDynos();
  readonly #stats = new StatsReader();
  readonly #link: KeeperLink;
  readonly #respares = new Map<string, NodeJS.Timeout>();
  #handler: (event: RuntimeEvent) => void = () => {};

  private constructor(parts: Parts, tasks: Tasks) {
    this.#parts = parts;
    this.#tasks = tasks;
    this.#link = new KeeperLink({
      dir: parts.dir,
      marker: ownerMarker(`${parts.owner}/`),
      onEvent: (event) => this.#emit(this.#dynos.eventsOf(event)),
      onRegained: (client, kept) => this.#onRegained(client, kept),
      tasks,
      log: parts.log,
    });
  }

  static async open(parts: Parts): Promise<ProcessRuntime> {
    const runtime = new ProcessRuntime(parts, new Tasks(parts.log));
    const kept = new Set((await runtime.#link.list()).map((record) => record.dyno));
    const leftovers = await leftoverDirs(parts.dir, parts.owner, kept);
    runtime.#tasks.run('remove what ended dynos left', async () => {
      for (const dir of leftovers) await rm(dir, { recursive: true, force: true });
    });
    return runtime;
  }

  get isolation(): string {
    return this.#parts.sandbox.isolation;
  }

  onEvent(handler: (event: RuntimeEvent) => void): void {
    this.#handler = handler;
  }

  async list(lastSeq: (dyno: DynoId) => number): Promise<readonly FoundDyno[]> {
    const records = await this.#link.list();
    for (const record of records) this.#dynos.adopt(record, lastSeq(record.dyno as DynoId));
    // Not awaited: the caller gets the list before the first event about it.
    this.#tasks.run('follow dynos', () => this.#link.request(this.#dynos.followRequest()));
    return records.map((record) => ({
      dyno: record.dyno as DynoId,
      labels: record.labels,
      port: record.port,
      listening: record.listening,
      exited: record.exited,
    }));
  }

  async prepare(slugId: string, slugPath: string): Promise<void> {
    await this.#parts.slugs.prepare(mustBePathPart(slugId), slugPath);
  }

  async start(spec: DynoSpec): Promise<void> {
    const { dyno, slugId, slugPath } = spec;
    if (this.#dynos.has(dyno)) {
      throw new PlatformError('conflict', `Cannot start "${spec.name}": dyno "${dyno}" was started before`);
    }
    const ownUid = this.#parts.users?.take(this.#dynos.taken('ownUid')) ?? null;
    const port = spec.web ? await this.#ports.take(this.#dynos.taken('port')) : null;
    this.#dynos.reserve(dyno, port, ownUid);
    const files = this.#filesOf(dyno);
    try {
      const fillApp = (dest: string): Promise<void> =>
        this.#parts.slugs.copyTo(mustBePathPart(slugId), slugPath, dest);
      await makeDynoFiles(files, { hostname: dyno, uid: ownUid, fillApp });
      const { sandbox, owner } = this.#parts;
      const launch = launchOf(spec, { files, uid: ownUid, port, sandbox, owner: `${owner}/${dyno}` });
      this.#dynos.started((await this.#link.request({ tag: 'spawn', launch })) as DynoRecord);
      this.#respareSoon(slugId);
    } catch (cause) {
      this.#dynos.forget(dyno);
      await removeDynoFiles(files);
      if (cause instanceof PlatformError) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new PlatformError('internal', `Cannot start "${spec.name}": ${reason}`, { cause });
    }
  }

  async signal(dyno: DynoId, signal: 'SIGTERM' | 'SIGKILL' | 'SIGHUP' | 'SIGINT'): Promise<void> {
    await this.#link.request({ tag: 'signal', dyno, signal });
  }

  async attach(dyno: DynoId): Promise<Duplex> {
    return await this.#link.attach(dyno);
  }

  async resize(dyno: DynoId, columns: number, rows: number): Promise<void> {
    await this.#link.request({ tag: 'resize', dyno, columns, rows });
  }

  async remove(dyno: DynoId): Promise<void> {
    await this.#link.request({ tag: 'remove', dyno });
    this.#dynos.forget(dyno);
    await removeDynoFiles(this.#filesOf(dyno));
  }

  async collect(keepSlugs: ReadonlySet<string>): Promise<void> {
    await this.#parts.slugs.collect(keepSlugs);
  }

  async stats(dyno: DynoId): Promise<null | { memoryMiB: number; cpuSeconds: number }> {
    const record = this.#dynos.running(dyno);
    return record === null ? null : await this.#stats.read(record.pid);
  }

  async shutdown(): Promise<void> {
    await this.#link.shutdown();
    await this[Symbol.asyncDispose]();
    await removeDynosDirs(this.#parts.dir, this.#parts.owner);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#respares.values()) clearTimeout(timer);
    await this.#link[Symbol.asyncDispose]();
    await this.#tasks.settled();
  }

  #respareSoon(slugId: string): void {
    clearTimeout(this.#respares.get(slugId));
    const timer = setTimeout(() => {
      this.#respares.delete(slugId);
      this.#tasks.run('copy slug in spare', () => this.#parts.slugs.respare(slugId));
    }, RESPARE_MS);
    this.#respares.set(slugId, timer.unref());
  }

  #emit(events: Iterable<RuntimeEvent>): void {
    for (const event of events) this.#handler(event);
  }

  #onRegained(client: KeeperClient, kept: readonly DynoRecord[]): void {
    this.#emit(this.#dynos.lost(new Set(kept.map((record) => record.dyno))));
    this.#tasks.run('follow dynos', () => client.request(this.#dynos.followRequest()));
  }

  #filesOf(dyno: string): DynoFiles {
    return dynoFiles(join(this.#parts.dynosDir, mustBePathPart(dyno)));
  }
}

/** Ids become names of folders: none may climb out of theirs. */
function mustBePathPart(id: string): string {
  if (/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/.test(id)) return id;
  throw new PlatformError(
    'bad_request',
    `Cannot use "${id}" as an id: expected letters, digits, "." and "-"`,
  );
}
