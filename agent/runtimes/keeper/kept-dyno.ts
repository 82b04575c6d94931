import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Duplex, Readable, Writable } from 'node:stream';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { watchAddress } from '../lib/watch-address.ts';
import { Attachment } from './attachment.ts';
import type { LogRing } from './log-ring.ts';
import { LogSink } from './log-sink.ts';
import { exceedsMemory, forbidForks } from './memory-use.ts';
import { dynoProcesses, killTargets, signalAll, type ProcessEntry } from './process-tree.ts';
import type { DynoRecord, Exit, Launch } from './protocol.ts';
import { openStdio, type Stdio } from './stdio.ts';

/** Dynos share the host's network. */
const LOOPBACK = ['127.0.0.1', '::1'];

const READY_MS_MAX = 20_000;
/** A dyno without a port is up when it has lived this long: one that crashes at once never was. */
const ALIVE_MS = 500;
/** Output may be held open by a process that got away; its end is not awaited longer. */
const LAST_OUTPUT_MS = 1_000;
const KILL_ROUNDS_MAX = 100;
const ROUNDS_BEFORE_STOP = 3;

/** One dyno and all that must not die with the agent: its process, stdio, last output and exit code. */
export class KeptDyno {
  readonly id: string;
  readonly #launch: Launch;
  readonly #child: ChildProcess;
  readonly #stdio: Stdio;
  readonly #log: LogSink;
  readonly #outputClosed: Promise<void>;
  readonly #attachment: Attachment | null;
  /** Tells whoever follows that there is something new. */
  readonly #changed: () => void;
  #isStarted = false;
  #listening = false;
  #host: string | null = null;
  #outOfMemory = false;
  #exited: Exit | null = null;
  #isEnding = false;
  readonly #ended = Promise.withResolvers<void>();
  #stopWatch: () => void = () => {};

  private constructor(launch: Launch, child: ChildProcess, stdio: Stdio, log: LogSink, changed: () => void) {
    this.id = launch.dyno;
    this.#launch = launch;
    this.#child = child;
    this.#stdio = stdio;
    this.#log = log;
    this.#changed = changed;
    // A broken pipe, or EIO from a terminal without processes, is how stdio ends; `close` follows.
    stdio.output.on('error', () => {});
    stdio.input?.on('error', () => {});
    const endOfInput = launch.stdio.tag === 'tty' ? '\u0004' : null;
    this.#attachment = stdio.input === null ? null : new Attachment(stdio.output, stdio.input, endOfInput);
    this.#outputClosed = new Promise((resolve) => {
      stdio.output.once('close', () => {
        log.end();
        resolve();
      });
    });
    child.once('exit', (status, signal) => void this.#onExit(status, signal));
  }

  /** Spawns it; `started` tells whether that worked. Throws when it cannot even be tried. */
  static async spawn(launch: Launch, changed: () => void): Promise<KeptDyno> {
    const log = new LogSink(changed);
    const stdio = openStdio(launch, (data) => log.push(data));
    try {
      const [file, ...args] = launch.argv;
      const child = spawn(file, args, {
        cwd: launch.cwd,
        env: { ...launch.env },
        // A terminal's session is made by `setsid` in argv, which needs a process that leads no group yet.
        detached: launch.stdio.tag !== 'tty',
        stdio: [stdio.childIn, stdio.childOut, stdio.childOut, 'pipe', 'pipe'],
        ...(launch.uid === null ? {} : { uid: launch.uid, gid: launch.uid }),
      });
      if (child.pid === undefined) await once(child, 'spawn');
      return new KeptDyno(launch, child, stdio, log, changed);
    } catch (error) {
      stdio.output.destroy();
      stdio.input?.destroy();
      throw error;
    } finally {
      stdio.closeChildEnds();
    }
  }

  get ring(): LogRing {
    return this.#log.ring;
  }

  get isStarted(): boolean {
    return this.#isStarted;
  }

  get isTaken(): boolean {
    return this.#attachment === null || this.#attachment.isTaken;
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  get isSilent(): boolean {
    return this.#stdio.output.destroyed;
  }

  get isRunning(): boolean {
    return this.#isStarted && !this.#isEnding;
  }

  /** Its config vars as the wrapper reads them: all up to the last NUL, behind which comes the command. */
  get environment(): string {
    const { secrets } = this.#launch;
    return secrets.slice(0, secrets.lastIndexOf('\0') + 1);
  }

  record(): DynoRecord {
    return {
      dyno: this.id,
      labels: this.#launch.labels,
      pid: this.#pid,
      ownUid: this.#launch.ownUid,
      containment: this.#launch.containment,
      port: this.#launch.port,
      listening: this.#listening,
      host: this.#host,
      exited: this.#exited,
    };
  }

  /** Resolves once the wrapper inside runs, which says so by a byte on descriptor 3; rejects with what it said instead. */
  async started(): Promise<void> {
    const [, , , ready, secrets] = this.#child.stdio as unknown as [null, null, null, Readable, Writable];
    secrets.on('error', () => {});
    secrets.end(this.#launch.secrets);
    const isReady = await new Promise<boolean>((resolve) => {
      ready.once('data', () => resolve(true));
      ready.once('close', () => resolve(false));
      ready.on('error', () => resolve(false));
      setTimeout(resolve, READY_MS_MAX, false).unref();
    });
    ready.destroy();
    if (!isReady) {
      await this.kill();
      await this.#ended.promise;
      throw new Error(this.#lastWords() || `it did not begin within ${READY_MS_MAX / 1000} s`);
    }
    this.#isStarted = true;
    this.#changed();
    if (this.#isEnding) return;
    const { port } = this.#launch;
    if (port === null) {
      const timer = setTimeout(() => this.#onListening(), ALIVE_MS);
      this.#stopWatch = () => clearTimeout(timer);
    } else {
      this.#stopWatch = watchAddress(LOOPBACK, port, ({ host }) => {
        this.#host = host;
        this.#onListening();
      });
    }
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#isEnding) return;
    if (signal === 'SIGKILL') void this.kill();
    else signalAll(dynoProcesses(this.#pid, this.#launch.containment), signal);
  }

  /** Ends it whole when a part of it took too much memory: a dyno is one thing. */
  checkMemory(processes: () => readonly ProcessEntry[]): void {
    if (!this.isRunning || this.#outOfMemory) return;
    if (!exceedsMemory(this.#pid, this.#launch, processes)) return;
    this.#outOfMemory = true;
    void this.kill();
  }

  /** Kills until nothing is left: a process may fork between two looks. */
  async kill(): Promise<void> {
    const { containment, cgroup } = this.#launch;
    if (containment.tag !== 'family') forbidForks(cgroup);
    for (let round = 0; round < KILL_ROUNDS_MAX; round += 1) {
      // The end of its first process is the end of a namespace.
      if (this.#isEnding && containment.tag === 'namespace') return;
      // Those that fork faster than they are killed are stopped first, which leaves their places taken.
      if (round >= ROUNDS_BEFORE_STOP) signalAll(killTargets(this.#pid, containment), 'SIGSTOP');
      const targets = killTargets(this.#pid, containment);
      if (targets.length === 0) return;
      signalAll(targets, 'SIGKILL');
      await sleep(Math.min(2 + round, 20));
    }
  }

  attach(client: Duplex): void {
    this.#attachment?.connect(client);
  }

  resize(columns: number, rows: number): void {
    if (!this.#isEnding) this.#stdio.resize(columns, rows);
  }

  get #pid(): number {
    return this.#child.pid ?? -1;
  }

  #onListening(): void {
    this.#listening = true;
    this.#changed();
  }

  async #onExit(status: number | null, signal: NodeJS.Signals | null): Promise<void> {
    this.#outOfMemory ||= exceedsMemory(this.#pid, this.#launch, () => []);
    this.#isEnding = true;
    this.#stopWatch();
    const { output } = this.#stdio;
    // Daemons that it left behind end with it: a dyno is one thing. They may hold the output open till then.
    await this.kill();
    if (this.#attachment === null) {
      // On a machine that stood still, time is up at once: what is there by then is read first.
      await Promise.race([this.#outputClosed, sleep(LAST_OUTPUT_MS).then(() => turn())]);
      output.destroy();
      await this.#outputClosed;
    } else if (this.#launch.containment.tag === 'family') {
      // What got away from a command lives on in the dyno, with the command's output perhaps.
      void this.#attachment.lastOutput(LAST_OUTPUT_MS);
    }
    // Shells, containers and Heroku's logs all say 128 + n; inside a namespace that is all one can see.
    this.#exited = {
      status: signal === null ? status : 128 + constants.signals[signal],
      signal,
      outOfMemory: this.#outOfMemory,
    };
    this.#ended.resolve();
    this.#changed();
  }

  #lastWords(): string {
    const lines = this.ring.read(0, 4_000).map(([, , text]) => text);
    return this.#attachment === null ? lines.join('; ') : this.#attachment.earlyText().slice(-4_000);
  }
}
