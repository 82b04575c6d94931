import { randomInt, randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { PlatformError } from '../../src/errors.ts';
import type { OneOffFact } from '../../src/facts.ts';
import type { DynoId, PeerId } from '../../src/ids.ts';
import { sizeOf } from '../../src/dyno-sizes.ts';
import type { App, Release } from '../../src/ledger/view.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { OneOff, OneOffRequest } from '../../src/shell/host.ts';
import type { Logs } from '../../src/shell/logs.ts';
import type { FoundDyno, Runtime, RuntimeEvent } from '../../src/shell/runtime.ts';
import type { Tasks } from '../lib/tasks.ts';
import { AttachStream } from './attach-stream.ts';
import { commandOf } from './one-off-command.ts';

const FETCH_MS = 120_000;
// R16: after the client has left, SIGHUP, and in the end SIGKILL. Heroku warns after about 20 s.
const HANG_UP_MS = 10_000;
/** A one-off ends after a day at the latest. */
const LIFE_MS = 24 * 3_600_000;

type Running = {
  readonly fact: OneOffFact;
  readonly attach: AttachStream | null;
  readonly limit: NodeJS.Timeout;
};

export type OneOffsParts = {
  readonly self: PeerId;
  readonly runtime: Runtime;
  readonly blobs: Blobs;
  readonly logs: Logs;
  readonly tasks: Tasks;
  readonly log: Logger;
  readonly holders: (blob: Release['slug'] & object) => readonly PeerId[];
  readonly environment: (app: App, release: Release, name: string) => Record<string, string>;
  readonly publish: (list: readonly OneOffFact[]) => void;
};

/** The one-off dynos of this peer: started on request, never placed, moved or restarted. */
export class OneOffs {
  readonly #parts: OneOffsParts;
  readonly #running = new Map<DynoId, Running>();
  /** Those whose start is under way, with how they ended if they were that quick: their client has yet to hear them. */
  readonly #starting = new Map<DynoId, RuntimeEvent | null>();

  constructor(parts: OneOffsParts) {
    this.#parts = parts;
  }

  /** Runs it here. Resolves once the process is started. */
  async start(app: App, release: Release, request: OneOffRequest, size: string): Promise<OneOff> {
    const { runtime, blobs, log } = this.#parts;
    const { slug } = release;
    if (slug === null) {
      throw new PlatformError(
        'conflict',
        `Cannot run "${request.command}": app "${app.name}" has no release with code yet`,
        {
          hint: 'Push the app first: git push kith main',
        },
      );
    }
    const dyno = randomUUID() as DynoId;
    const name = `run.${randomInt(1, 10_000)}`;
    const command = commandOf(request.command, slug.processTypes);
    await blobs.fetch(slug.id, this.#parts.holders(slug), AbortSignal.timeout(FETCH_MS));
    await runtime.prepare(slug.id, blobs.path(slug.id));
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
    this.#add(fact, null);
    this.#say(fact, `Starting process with command \`${command}\``);
    this.#starting.set(dyno, null);
    try {
      await runtime.start({
        dyno,
        app: app.id,
        name,
        command,
        slugPath: blobs.path(slug.id),
        slugId: slug.id,
        env: { ...this.#parts.environment(app, release, name), ...request.env },
        web: false,
        memoryMiB: sizeOf(size).memoryMiB,
        attach: request.attach,
        labels: { kind: 'one-off', fact: JSON.stringify(fact) },
      });
      const attach = request.attach === null ? null : await this.#attach(dyno);
      this.#add({ ...fact, phase: 'up', since: Date.now() }, attach);
      this.#say(fact, 'State changed from starting to up');
      const ended = this.#starting.get(dyno) ?? null;
      this.#starting.delete(dyno);
      if (ended !== null) this.onRuntime(ended);
      return { dyno, name, peer: this.#parts.self, release: release.id, attach };
    } catch (error) {
      log.warn({ app: app.id, dyno: name, err: error }, 'one-off not started');
      this.#starting.delete(dyno);
      this.#forget(dyno);
      throw error;
    }
  }

  /** Takes back a one-off that outlived the last agent; its client, if it had one, is gone. */
  adopt(found: FoundDyno): void {
    if (found.labels['kind'] !== 'one-off') return;
    const fact = JSON.parse(found.labels['fact'] ?? 'null') as OneOffFact;
    this.#add({ ...fact, phase: 'up' }, null);
    if (found.exited !== null) this.onRuntime({ tag: 'exited', dyno: found.dyno, ...found.exited });
  }

  onRuntime(event: RuntimeEvent): void {
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
      const status = event.status ?? 128;
      this.#say(fact, `Process exited with status ${status}`);
      this.#say(fact, `State changed from up to ${status === 0 ? 'complete' : 'crashed'}`);
      this.#forget(event.dyno);
      this.#parts.tasks.run('remove one-off', () => this.#parts.runtime.remove(event.dyno));
    }
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
    this.#end(dyno, 'SIGTERM', 30_000);
  }

  /** Ends them all and waits; for an agent that takes everything down. */
  async shutdown(): Promise<void> {
    for (const dyno of this.#running.keys()) await this.#parts.runtime.signal(dyno, 'SIGKILL');
  }

  async #attach(dyno: DynoId): Promise<AttachStream> {
    const { runtime, tasks } = this.#parts;
    const stdio: Duplex = await runtime.attach(dyno);
    return new AttachStream(stdio, {
      resize: (columns, rows) => tasks.run('resize', () => runtime.resize(dyno, columns, rows)),
      hangUp: () => this.#end(dyno, 'SIGHUP', HANG_UP_MS),
    });
  }

  #end(dyno: DynoId, first: 'SIGHUP' | 'SIGTERM', graceMs: number): void {
    const { runtime, tasks } = this.#parts;
    tasks.run('end one-off', async () => {
      if (!this.#running.has(dyno)) return;
      await runtime.signal(dyno, first);
      const kill = setTimeout(() => {
        if (this.#running.has(dyno)) tasks.run('kill one-off', () => runtime.signal(dyno, 'SIGKILL'));
      }, graceMs);
      kill.unref();
    });
  }

  #add(fact: OneOffFact, attach: AttachStream | null): void {
    clearTimeout(this.#running.get(fact.dyno)?.limit);
    const limit = setTimeout(() => this.stop(fact.dyno), LIFE_MS);
    limit.unref();
    this.#running.set(fact.dyno, { fact, attach, limit });
    this.#publish();
  }

  #forget(dyno: DynoId): void {
    clearTimeout(this.#running.get(dyno)?.limit);
    this.#running.delete(dyno);
    this.#publish();
  }

  #publish(): void {
    this.#parts.publish([...this.#running.values()].map(({ fact }) => fact));
  }

  #say(fact: OneOffFact, text: string): void {
    this.#parts.logs.append({ app: fact.app, source: 'heroku', process: fact.name, text });
  }
}
