import { randomInt, randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { R13, R15 } from '../../src/dynos/error-lines.ts';
import { exitStatus } from '../../src/dynos/exit-status.ts';
import { PlatformError } from '../../src/errors.ts';
import type { OneOffFact, TookOneOff } from '../../src/facts.ts';
import type { AppId, BlobId, DynoId, PeerId, VolumeId } from '../../src/ids.ts';
import { sizeOf } from '../../src/dyno-sizes.ts';
import { withInternalHost } from '../../src/internal-host.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { Release } from '../../src/ledger/releases/release-types.ts';
import type { SlotVolume } from '../../src/placement/types.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { OneOff, OneOffRequest } from '../../src/shell/host.ts';
import type { Logs } from '../../src/shell/logs.ts';
import type { DynoRuntimeEvent, FoundDyno, Runtime } from '../../src/shell/runtime.ts';
import { fetchSlug, slugBlobs } from '../lib/slug-files.ts';
import type { Tasks } from '../lib/tasks.ts';
import { AttachStream } from './attach-stream.ts';
import { ABSENT, endDyno, HANG_UP, STOP, type EndPlan } from './end-dyno.ts';
import { commandOf } from './one-off-command.ts';
import { oneOffLabels, readOneOffLabels } from './one-off-labels.ts';
import { mustBeFree, mustBeHere } from './one-off-volumes.ts';
import { repeated, TookOneOffs } from './took-one-offs.ts';

const FETCH_MS = 120_000;
/** A one-off ends after a day at the latest. */
const LIFE_MS = 24 * 3_600_000;
const NAME_NUMBERS = 10_000;
/** Of what is run without a process type. */
export const ONE_OFF_TYPE = 'run';

type Running = {
  readonly fact: OneOffFact;
  readonly attach: AttachStream | null;
  readonly limit: NodeJS.Timeout;
  /** Aborts when it has ended. */
  readonly over: AbortController;
};

export type OneOffsParts = {
  readonly self: PeerId;
  readonly runtime: Runtime;
  readonly blobs: Blobs;
  readonly logs: Logs;
  readonly tasks: Tasks;
  readonly log: Logger;
  readonly holders: (blob: BlobId) => readonly PeerId[];
  readonly environment: (app: App, release: Release, name: string) => Record<string, string>;
  /** What dynos of a process type mount, by the ledger now. */
  readonly volumesOf: (app: AppId, type: string) => readonly SlotVolume[];
  /** The folder of a volume's copy. */
  readonly volumePath: (volume: VolumeId, copy: string) => string;
  readonly publish: (list: readonly OneOffFact[], took: readonly TookOneOff[]) => void;
};

/** The one-off dynos of this peer: started on request, never placed, moved or restarted. */
export class OneOffs implements Disposable {
  readonly #parts: OneOffsParts;
  readonly #closing = new AbortController();
  readonly #running = new Map<DynoId, Running>();
  /** Volumes of one-offs, until the runtime has removed them. */
  readonly #mounted = new Map<DynoId, { readonly name: string; readonly volumes: ReadonlySet<string> }>();
  readonly #took = new TookOneOffs();
  /** Those whose start is under way, with how they ended if they were that quick: their client has yet to hear them. */
  readonly #starting = new Map<DynoId, DynoRuntimeEvent | null>();

  constructor(parts: OneOffsParts) {
    this.#parts = parts;
  }

  /** Runs it here, once for each request. Resolves once the process is started. */
  async start(app: App, release: Release, request: OneOffRequest, size: string): Promise<OneOff> {
    const dyno = request.dyno ?? (randomUUID() as DynoId);
    const before = this.#took.get(dyno);
    if (before !== null) return repeated(before, this.#parts.self, request);
    const name = this.#freeName(app, request.type ?? ONE_OFF_TYPE);
    // The slug may have to be fetched, and the request may come again to another peer meanwhile.
    this.#took.add({ dyno, name, release: release.id });
    this.#publish();
    try {
      return await this.#start(app, release, { ...request, dyno, name }, size);
    } catch (error) {
      this.#took.drop(dyno);
      this.#publish();
      throw error;
    }
  }

  async #start(
    app: App,
    release: Release,
    request: OneOffRequest & Pick<OneOff, 'dyno' | 'name'>,
    size: string,
  ): Promise<OneOff> {
    const { runtime, blobs, log } = this.#parts;
    const { slug } = release;
    if (slug === null) {
      throw new PlatformError(
        'conflict',
        `Cannot run "${request.command}": app "${app.name}" has no release with code yet`,
        { hint: 'Push the app first: git push kith main' },
      );
    }
    const { dyno, name } = request;
    const type = request.type ?? ONE_OFF_TYPE;
    const command = commandOf(request.command, slug.processTypes);
    const { holders } = this.#parts;
    const files = await fetchSlug(blobs, slugBlobs(slug), holders, AbortSignal.timeout(FETCH_MS));
    await runtime.prepare(files);
    const fact: OneOffFact = {
      dyno,
      app: app.id,
      name,
      release: release.id,
      command,
      size,
      phase: 'starting',
      since: Date.now(),
    };
    const volumes = this.#parts.volumesOf(app.id, type);
    mustBeHere(volumes, this.#parts.self, request.command);
    mustBeFree(volumes, request.command);
    // From here on, with no moment in between, a copy of one of them waits for this one's end.
    const mounted = new Set<string>(volumes.map(({ volume }) => volume));
    this.#mounted.set(dyno, { name, volumes: mounted });
    const endsAt = fact.since + (request.ttlMs ?? LIFE_MS);
    const isAttached = request.attach !== null;
    const labels = oneOffLabels({ fact, endsAt, isAttached, volumes: mounted });
    this.#add(fact, null, endsAt);
    this.#say(fact, `Starting process with command \`${command}\``);
    this.#starting.set(dyno, null);
    try {
      await runtime.start({
        dyno,
        app: app.id,
        name,
        command,
        slug: files,
        env: withInternalHost(
          { ...this.#parts.environment(app, release, name), ...request.env },
          runtime.internalHost,
        ),
        web: false,
        size: sizeOf(size),
        volumes: volumes.map(({ volume, copy, path }) => ({
          source: this.#parts.volumePath(volume, copy),
          path,
        })),
        attach: request.attach,
        labels,
      });
      const attach = request.attach === null ? null : await this.#attach(dyno);
      this.#add({ ...fact, phase: 'up', since: Date.now() }, attach, endsAt);
      this.#say(fact, 'State changed from starting to up');
      const ended = this.#starting.get(dyno) ?? null;
      this.#starting.delete(dyno);
      if (ended !== null) this.onRuntime(ended);
      return { dyno, name, peer: this.#parts.self, release: release.id, attach };
    } catch (error) {
      log.warn({ app: app.id, dyno: name, err: error }, 'one-off not started');
      this.#starting.delete(dyno);
      this.#mounted.delete(dyno);
      this.#forget(dyno);
      throw error;
    }
  }

  /** Takes back a one-off that outlived the last agent; its client, if it had one, is gone. */
  adopt(found: FoundDyno): void {
    const memory = readOneOffLabels(found);
    if (memory === null) return;
    const { fact, endsAt, isAttached, volumes } = memory;
    this.#mounted.set(found.dyno, { name: fact.name, volumes });
    this.#add({ ...fact, phase: 'up' }, null, endsAt ?? fact.since + LIFE_MS);
    if (found.exited !== null) this.onRuntime({ tag: 'exited', dyno: found.dyno, ...found.exited });
    else if (isAttached) this.#end(found.dyno, HANG_UP);
  }

  onRuntime(event: DynoRuntimeEvent): void {
    const running = this.#running.get(event.dyno);
    if (running === undefined) return;
    const { fact, attach } = running;
    if (event.tag === 'output') {
      const { text, timeUs } = event;
      this.#parts.logs.append({ app: fact.app, source: 'app', process: fact.name, text, timeUs });
    } else if (event.tag === 'exited' && this.#starting.has(event.dyno)) {
      this.#starting.set(event.dyno, event);
    } else if (event.tag === 'exited') {
      attach?.exit({ status: event.status, signal: event.signal });
      const status = exitStatus(event.status, event.signal);
      if (event.outOfMemory) this.#say(fact, R15);
      this.#say(fact, `Process exited with status ${status}`);
      this.#say(fact, `State changed from up to ${status === 0 ? 'complete' : 'crashed'}`);
      this.#forget(event.dyno);
      this.#parts.tasks.run('remove one-off', async () => {
        await this.#parts.runtime.remove(event.dyno);
        this.#mounted.delete(event.dyno);
      });
    }
  }

  /** The name of a one-off of this peer that has a volume, and may not be over; null: none has. */
  withVolume(volume: VolumeId): string | null {
    const found = [...this.#mounted.values()].find(({ volumes }) => volumes.has(volume));
    return found?.name ?? null;
  }

  find(app: string, name: string): DynoId | null {
    for (const { fact } of this.#running.values())
      if (fact.app === app && fact.name === name) return fact.dyno;
    return null;
  }

  /** Another peer's wish to end one of ours: `{app, name}`. */
  stopNamed(request: unknown): void {
    const { app, name } = Object(request) as { app?: unknown; name?: unknown };
    const dyno = this.find(String(app), String(name));
    if (dyno !== null) this.stop(dyno);
  }

  /** Ends one: politely, then surely. */
  stop(dyno: DynoId): void {
    this.#end(dyno, STOP);
  }

  /** Ends them all and waits; for an agent that takes everything down. */
  async shutdown(): Promise<void> {
    for (const dyno of this.#running.keys()) await this.#parts.runtime.signal(dyno, 'SIGKILL');
  }

  /** Looks after none any more: the next agent does. */
  [Symbol.dispose](): void {
    this.#closing.abort();
    for (const { limit } of this.#running.values()) clearTimeout(limit);
  }

  /** `run.1234`: neither a one-off's of ours nor a dyno's of the formation. */
  #freeName(app: App, type: string): string {
    const entry = [...app.formation.values()].find((each) => each.type === type);
    const first = Math.min((entry?.quantity ?? 0) + 1, NAME_NUMBERS - 1);
    for (;;) {
      const name = `${type}.${randomInt(first, NAME_NUMBERS)}`;
      if (this.find(app.id, name) === null) return name;
    }
  }

  async #attach(dyno: DynoId): Promise<AttachStream> {
    const { runtime, tasks } = this.#parts;
    const stdio: Duplex = await runtime.attach(dyno);
    return new AttachStream(stdio, {
      resize: (columns, rows) => tasks.run('resize', () => runtime.resize(dyno, columns, rows)),
      hangUp: (why) => this.#hangUp(dyno, why),
    });
  }

  #hangUp(dyno: DynoId, why: 'left' | 'absent'): void {
    const running = this.#running.get(dyno);
    if (running !== undefined && why === 'absent') this.#say(running.fact, R13);
    this.#end(dyno, why === 'absent' ? ABSENT : HANG_UP);
  }

  #end(dyno: DynoId, plan: EndPlan): void {
    const { runtime, tasks, log } = this.#parts;
    const running = this.#running.get(dyno);
    if (running === undefined) return;
    const parts = {
      send: (signal: Parameters<Runtime['signal']>[1]) => runtime.signal(dyno, signal),
      say: (text: string) => this.#say(running.fact, text),
      log,
    };
    const over = AbortSignal.any([running.over.signal, this.#closing.signal]);
    tasks.run('end one-off', () => endDyno(parts, plan, over));
  }

  #add(fact: OneOffFact, attach: AttachStream | null, endsAt: number): void {
    const before = this.#running.get(fact.dyno);
    clearTimeout(before?.limit);
    const limit = setTimeout(() => this.#expire(fact), Math.max(0, endsAt - Date.now())).unref();
    this.#running.set(fact.dyno, { fact, attach, limit, over: before?.over ?? new AbortController() });
    this.#publish();
  }

  #expire(fact: OneOffFact): void {
    this.#say(fact, 'Its time to live is over');
    this.stop(fact.dyno);
  }

  #forget(dyno: DynoId): void {
    const running = this.#running.get(dyno);
    clearTimeout(running?.limit);
    running?.over.abort();
    this.#running.delete(dyno);
    this.#publish();
  }

  #publish(): void {
    const running = [...this.#running.values()].map(({ fact }) => fact);
    this.#parts.publish(running, this.#took.list());
  }

  #say(fact: OneOffFact, text: string): void {
    this.#parts.logs.append({ app: fact.app, source: 'heroku', process: fact.name, text });
  }
}
