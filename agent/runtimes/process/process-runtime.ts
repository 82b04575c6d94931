import { createHash } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import type { Logger } from 'pino';
import { PlatformError } from '../../../src/errors.ts';
import type { DynoId } from '../../../src/ids.ts';
import type {
  DynoSpec,
  DynoStats,
  ExecSession,
  ExecSpec,
  FoundDyno,
  Runtime,
  RuntimeEvent,
} from '../../../src/shell/runtime.ts';
import type { SlugFiles } from '../../../src/shell/slug-files.ts';
import { Tasks } from '../../lib/tasks.ts';
import type { DynoRecord } from '../keeper/protocol.ts';
import { Cgroups } from './cgroups.ts';
import { DynoPlaces, mustBeSlug } from './dyno-places.ts';
import { makeDynosDir, removeDynosDirs } from './dynos-dir.ts';
import type { KeeperClient } from './keeper-client.ts';
import { KeeperLink } from './keeper-link.ts';
import { Inside, notRunning } from './inside.ts';
import { addressOf, KnownDynos } from './known-dynos.ts';
import { launchOf } from './launch.ts';
import { ownLoopback } from './own-loopback.ts';
import { Ports } from './ports.ts';
import { limitsSentence, openSandbox, ownerMarker, type Sandbox } from './sandbox.ts';
import { SlugStore } from './slug-store.ts';
import { StatsReader } from './stats.ts';
import { SLUG_UID, Users } from './users.ts';

export type ProcessRuntimeOptions = {
  /** The peer's data folder. */ readonly dir: string;
  readonly log: Logger;
  readonly bubblewrap?: 'auto' | 'off';
  readonly cgroups?: 'auto' | 'off';
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
  const cgroups = options.cgroups === 'off' ? null : await Cgroups.open(owner, isRoot);
  return await ProcessRuntime.open({ dir, owner, dynosDir, sandbox, cgroups, slugs, users, log });
}

type Parts = {
  readonly dir: string;
  /** Names this data folder's keeper in the environment of dynos without namespace. */ readonly owner: string;
  readonly dynosDir: string;
  readonly sandbox: Sandbox;
  readonly cgroups: Cgroups | null;
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
  readonly #inside: Inside;
  readonly #places: DynoPlaces;
  readonly #respares = new Map<string, NodeJS.Timeout>();
  #handler: (event: RuntimeEvent) => void = () => {};

  private constructor(parts: Parts, tasks: Tasks) {
    this.#parts = parts;
    this.#tasks = tasks;
    this.#places = new DynoPlaces(parts);
    this.#link = new KeeperLink({
      dir: parts.dir,
      marker: ownerMarker(`${parts.owner}/`),
      onEvent: (event) => {
        this.#inside.onEvent(event);
        this.#emit(this.#dynos.eventsOf(event));
      },
      onRegained: (client, kept) => this.#onRegained(client, kept),
      tasks,
      log: parts.log,
    });
    this.#inside = new Inside(this.#link, parts.cgroups, tasks);
  }

  static async open(parts: Parts): Promise<ProcessRuntime> {
    const runtime = new ProcessRuntime(parts, new Tasks(parts.log));
    const kept = new Set((await runtime.#link.list()).map((record) => record.dyno));
    runtime.#tasks.run('remove what ended dynos left', await runtime.#places.findLeftovers(kept));
    return runtime;
  }

  get isolation(): string {
    const { sandbox, cgroups } = this.#parts;
    return `${sandbox.isolation}; ${limitsSentence(cgroups, sandbox)}`;
  }

  get internalHost(): string {
    return ownLoopback(this.#parts.owner);
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
      address: addressOf(record),
      listening: record.listening,
      exited: record.exited === null ? null : { outOfMemory: false, ...record.exited },
    }));
  }

  async prepare(slug: SlugFiles): Promise<void> {
    await this.#parts.slugs.prepare(mustBeSlug(slug));
  }

  async start(spec: DynoSpec): Promise<void> {
    const { dyno, slug } = spec;
    if (this.#dynos.has(dyno)) {
      throw new PlatformError('conflict', `Cannot start "${spec.name}": dyno "${dyno}" was started before`);
    }
    mustBeSlug(slug);
    const ownUid = await this.#places.userFor(spec, this.#dynos.taken('ownUid'));
    const port = spec.web ? await this.#ports.take(this.#dynos.taken('port')) : null;
    this.#dynos.reserve(dyno, port, ownUid);
    try {
      const { sandbox, owner } = this.#parts;
      const made = await this.#places.make(spec, ownUid);
      const place = { ...made, uid: ownUid, port, sandbox, owner: `${owner}/${dyno}` };
      const launch = launchOf(spec, place);
      this.#dynos.started((await this.#link.request({ tag: 'spawn', launch })) as DynoRecord);
      this.#respareSoon(slug.id);
    } catch (cause) {
      this.#dynos.forget(dyno);
      await this.#places.remove(dyno);
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
    await this.#places.remove(dyno);
  }

  async collect(keepSlugs: ReadonlySet<string>): Promise<void> {
    await this.#parts.slugs.collect(keepSlugs);
  }

  async exec(dyno: DynoId, spec: ExecSpec): Promise<ExecSession> {
    return await this.#inside.exec(this.#mustRun(dyno), this.#places.filesOf(dyno), spec);
  }

  async copyOut(dyno: DynoId, path: string): Promise<Readable> {
    return await this.#inside.copyOut(this.#mustRun(dyno), this.#places.filesOf(dyno), path);
  }

  async stats(dyno: DynoId): Promise<DynoStats | null> {
    const record = this.#dynos.running(dyno);
    if (record === null) return null;
    return (await this.#parts.cgroups?.usage(dyno)) ?? (await this.#stats.read(record.pid));
  }

  /** They share the host's loopback. */
  async allowPorts(): Promise<void> {}

  async shutdown(): Promise<void> {
    await this.#link.shutdown();
    await this[Symbol.asyncDispose]();
    await removeDynosDirs(this.#parts.dir, this.#parts.owner);
    await this.#parts.cgroups?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#respares.values()) clearTimeout(timer);
    this.#inside.onLost();
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
    this.#inside.onLost();
    this.#emit(this.#dynos.lost(new Set(kept.map((record) => record.dyno))));
    this.#tasks.run('follow dynos', () => client.request(this.#dynos.followRequest()));
  }

  #mustRun(dyno: DynoId): DynoRecord {
    const record = this.#dynos.running(dyno);
    if (record === null) throw notRunning(dyno);
    return record;
  }
}
