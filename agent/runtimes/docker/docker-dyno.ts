import { duplexPair, type Duplex, type Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container } from 'dockerode';
import type { DynoId } from '../../../src/ids.ts';
import type { DynoAddress, DynoRuntimeEvent, FoundDyno } from '../../../src/shell/runtime.ts';
import type { HeldStdio } from './container-stdio.ts';
import { DynoLog } from './dyno-log.ts';
import { statusOf, within } from '../../lib/engine.ts';
import type { LogPosition } from './launch-files.ts';
import { watchAddress } from '../lib/watch-address.ts';

/** A dyno without a port is up when it has lived this long: one that crashes at once never was. */
const ALIVE_MS = 500;
const FOLLOW_AGAIN_MS = 500;
/** The Engine's log of an ended container is read to its end; a broken one is not waited for longer. */
const LAST_OUTPUT_MS = 5_000;
const ASK_MS_MAX = 10_000;
const KILLED = 137;

type Exit = NonNullable<FoundDyno['exited']>;

export type DockerDynoParts = {
  readonly dyno: DynoId;
  readonly name: string;
  readonly container: Container;
  /** Container that holds its network. */
  readonly berth: string;
  readonly hosts: readonly string[];
  readonly port: number | null;
  readonly isSlug: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Null when its output goes to the log. */
  readonly stdio: HeldStdio | null;
  readonly isAttached: boolean;
  readonly position: LogPosition;
  /** Its output up to this line was told by a former agent. */
  readonly toldSeq: number;
  readonly emit: (event: DynoRuntimeEvent) => void;
};

/** One dyno in a container, as this agent knows it: follows its log, its port and its end. */
export class DockerDyno {
  readonly parts: DockerDynoParts;
  readonly #log: DynoLog;
  readonly #closing = new AbortController();
  readonly #died = Promise.withResolvers<void>();
  #listening: DynoAddress | null = null;
  #isAlive = false;
  #exited: Exit | null = null;
  #hadOom = false;
  /** Of its log nothing more is told. */
  #hasLastOutput = false;
  #stream: Readable | null = null;
  #savedSince: string;
  #notedPosition: LogPosition | null = null;
  #stopWatch: () => void = () => {};

  constructor(parts: DockerDynoParts) {
    this.parts = parts;
    this.#savedSince = parts.position.since;
    const { dyno, emit } = parts;
    this.#log = new DynoLog(parts.position, parts.toldSeq, (line) => emit({ tag: 'output', dyno, ...line }));
  }

  get exited(): Exit | null {
    return this.#exited;
  }

  get address(): DynoAddress | null {
    const { hosts, port } = this.parts;
    const [host] = hosts;
    return this.#listening ?? (port === null || host === undefined ? null : { host, port });
  }

  get isListening(): boolean {
    return this.#listening !== null || this.#isAlive;
  }

  /** How far its log had been read when this was last asked, when that is news: those lines are on the agent's disk by now. */
  newPosition(): LogPosition | null {
    const noted = this.#notedPosition;
    this.#notedPosition = this.#log.position;
    if (noted === null || noted.since === this.#savedSince) return null;
    this.#savedSince = noted.since;
    return noted;
  }

  /** What was found when an agent started: told by `list`, so not told again as an event. */
  found(state: {
    readonly listening: DynoAddress | null;
    readonly alive: boolean;
    readonly exited: Exit | null;
  }): void {
    this.#listening = state.listening;
    this.#isAlive = state.alive;
    this.#exited = state.exited;
  }

  /** Follows it until its end is told, or the agent's own. */
  async run(): Promise<void> {
    const hasEnded = this.#exited !== null;
    if (!hasEnded && !this.isListening) this.#watchPort();
    if (hasEnded) this.#died.resolve();
    const reading = this.parts.isAttached ? Promise.resolve() : this.#readLog();
    await Promise.race([this.#died.promise, this.#closed()]);
    this.#stopWatch();
    if (this.#closing.signal.aborted) return await reading;
    const exit = this.#exited ?? (await this.#exit());
    await Promise.race([reading, sleep(LAST_OUTPUT_MS, undefined, { ref: false })]);
    this.#hasLastOutput = true;
    this.#stream?.destroy();
    if (this.#closing.signal.aborted || hasEnded) return;
    // The Engine may tell of the end first, and then why.
    const outOfMemory = exit.outOfMemory || (this.#hadOom && exit.status !== 0);
    this.#exited = { ...exit, outOfMemory };
    this.parts.emit({ tag: 'exited', dyno: this.parts.dyno, ...this.#exited });
  }

  /** The Engine says that its container has ended, or is gone. */
  onDie(): void {
    this.#died.resolve();
  }

  onOom(): void {
    this.#hadOom = true;
  }

  /** @returns the client's end of its stdio */
  attach(): Duplex {
    const [inner, client] = duplexPair();
    client.once('close', () => inner.destroy());
    this.parts.stdio?.attachment.connect(inner);
    return client;
  }

  /** A signal is about to be sent: its end must not wait for a slow client. */
  expectEnd(): void {
    this.parts.stdio?.hurry();
  }

  /** This agent looks no further; the dyno goes on. */
  close(): void {
    this.#closing.abort();
    this.#stopWatch();
    this.#stream?.destroy();
  }

  #watchPort(): void {
    const { dyno, hosts, port, emit } = this.parts;
    const found = (address: DynoAddress): void => {
      if (port === null) this.#isAlive = true;
      else this.#listening = address;
      emit({ tag: 'listening', dyno, address });
    };
    if (port === null) {
      const timer = setTimeout(() => found({ host: hosts[0] ?? '', port: 0 }), ALIVE_MS);
      this.#stopWatch = () => clearTimeout(timer);
    } else {
      this.#stopWatch = watchAddress(hosts, port, found);
    }
  }

  /** To the end of an ended container's log; a break in between, like an Engine's restart, is mended. */
  async #readLog(): Promise<void> {
    let isOver = false;
    void this.#died.promise.then(() => (isOver = true));
    while (!this.#closing.signal.aborted && !this.#hasLastOutput) {
      // What began after the end saw all of the log.
      const isLast = isOver;
      const isRead = await this.#readOnce();
      if (isLast && isRead) break;
      if (!isOver) await Promise.race([sleep(FOLLOW_AGAIN_MS), this.#died.promise, this.#closed()]);
      else if (!isRead) await Promise.race([sleep(FOLLOW_AGAIN_MS), this.#closed()]);
    }
    if (!this.#closing.signal.aborted && !this.#hasLastOutput) this.#log.end();
  }

  /** @returns false when the log could not be read to an end, but may be later */
  async #readOnce(): Promise<boolean> {
    try {
      const options = { follow: true, stdout: true, stderr: true, timestamps: true } as const;
      // A string, with nanoseconds: a number has not enough digits.
      const since = this.#log.since as unknown as number;
      const logs = this.parts.container.logs({ ...options, since });
      const stream = (await within(ASK_MS_MAX, 'for a log', logs)) as unknown as Readable;
      this.#stream = stream;
      if (this.#closing.signal.aborted) stream.destroy();
      await this.#log.read(stream);
      return true;
    } catch (error) {
      // Gone with its container: there is no more to read.
      return statusOf(error) === 404;
    } finally {
      this.#stream = null;
    }
  }

  async #exit(): Promise<Exit> {
    while (!this.#closing.signal.aborted) {
      try {
        const { State } = await within(ASK_MS_MAX, 'for a container', this.parts.container.inspect());
        const outOfMemory = (State.OOMKilled || this.#hadOom) && State.ExitCode !== 0;
        return { status: State.ExitCode, signal: null, outOfMemory };
      } catch (error) {
        if (statusOf(error) === 404) break;
        await Promise.race([sleep(FOLLOW_AGAIN_MS), this.#closed()]);
      }
    }
    return { status: KILLED, signal: 'SIGKILL', outOfMemory: this.#hadOom };
  }

  #closed(): Promise<void> {
    const { signal } = this.#closing;
    return new Promise((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}
