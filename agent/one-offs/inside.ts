import { pipeline, Transform, type Readable } from 'node:stream';
import type { Logger } from 'pino';
import { PlatformError } from '../../src/errors.ts';
import type { UserEmail } from '../../src/ledger/values.ts';
import type { DynoPlace } from '../../src/shell/host.ts';
import type { Logs } from '../../src/shell/logs.ts';
import type { ExecSession, ExecSpec, Runtime } from '../../src/shell/runtime.ts';
import type { Tasks } from '../lib/tasks.ts';
import { AttachStream } from './attach-stream.ts';
import { within } from './within.ts';

/** A runtime that has not begun by now never will. */
const BEGIN_MS = 20_000;
/** After its output has ended a command is over, whether its status comes or not. */
const STATUS_MS = 10_000;
/** A reader that takes nothing for so long has gone. */
const COPY_IDLE_MS = 120_000;
/** Each holds a process, or an open archive, of this machine. */
const EXECS_MAX = 100;
const COPIES_MAX = 10;

export type InsideParts = {
  readonly runtime: Pick<Runtime, 'exec' | 'copyOut'>;
  readonly logs: Pick<Logs, 'append'>;
  readonly tasks: Tasks;
  readonly log: Logger;
};

/** Commands and copies inside the dynos of this peer, for `ps:exec` and `ps:copy`. */
export class Inside {
  readonly #parts: InsideParts;
  #execs = 0;
  #copies = 0;

  constructor(parts: InsideParts) {
    this.#parts = parts;
  }

  /** Runs a command beside the dyno's own process. The stream is its attach stream; destroying it ends the command. */
  async exec(place: DynoPlace, spec: ExecSpec, user: UserEmail): Promise<AttachStream> {
    if (this.#execs >= EXECS_MAX) throw tooMany(place, `${EXECS_MAX} commands run inside dynos`);
    this.#execs += 1;
    try {
      const asked = this.#parts.runtime.exec(place.dyno, spec);
      const session = await within(
        asked,
        BEGIN_MS,
        () => tooSlow(place),
        (late) => late.stdio.destroy(),
      );
      // Not the command: what people type into a shell may be secret.
      this.#say(place, `Running a command inside, by user ${user}`);
      const stream = this.#attach(place, session);
      stream.once('close', () => (this.#execs -= 1));
      return stream;
    } catch (error) {
      this.#execs -= 1;
      throw byName(error, place, null);
    }
  }

  #attach(place: DynoPlace, session: ExecSession): AttachStream {
    const { tasks, log } = this.#parts;
    const stream = new AttachStream(session.stdio, {
      resize: (columns, rows) => tasks.run('resize', () => session.resize(columns, rows)),
      hangUp: () => session.stdio.destroy(),
    });
    const lost = (cause?: unknown): void => stream.fail(lostHold(place, cause));
    session.ended.then(
      (exit) => stream.exit(exit),
      (err: unknown) => {
        log.warn({ app: place.app, dyno: place.name, err }, 'command inside lost');
        lost(err);
      },
    );
    session.stdio.once('close', () => setTimeout(lost, STATUS_MS).unref());
    return stream;
  }

  /** A file or folder as a tar stream; rejects `not_found`. */
  async copyOut(place: DynoPlace, path: string, user: UserEmail): Promise<Readable> {
    if (this.#copies >= COPIES_MAX) throw tooMany(place, `${COPIES_MAX} copies are being made`);
    this.#copies += 1;
    try {
      const asked = this.#parts.runtime.copyOut(place.dyno, path);
      const archive = await within(
        asked,
        BEGIN_MS,
        () => tooSlow(place),
        (late) => late.destroy(),
      );
      this.#say(place, `Copying ${JSON.stringify(path)} out, by user ${user}`);
      const stream = watched(archive, COPY_IDLE_MS);
      stream.once('close', () => (this.#copies -= 1));
      return stream;
    } catch (error) {
      this.#copies -= 1;
      throw byName(error, place, path);
    }
  }

  #say({ app, name }: DynoPlace, text: string): void {
    this.#parts.logs.append({ app, source: 'heroku', process: name, text });
  }
}

/** The same bytes, but broken off when none have passed for so long. */
export function watched(source: Readable, idleMs: number): Readable {
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      timer.refresh();
      done(null, chunk);
    },
  });
  const timer = setTimeout(() => stream.destroy(new Error('Nothing was read for too long')), idleMs).unref();
  // A stream may fail before anybody reads it; whoever reads it hears of it.
  stream.on('error', () => undefined);
  pipeline(source, stream, () => clearTimeout(timer));
  return stream;
}

/** What a runtime knows by its id, people know by its name. */
function byName(error: unknown, { name }: DynoPlace, path: string | null): unknown {
  if (!(error instanceof PlatformError) || error.code !== 'not_found') return error;
  if (error.resource === 'file') {
    return new PlatformError('not_found', `Cannot copy "${path}" out of "${name}": there is no such file`, {
      resource: 'file',
      hint: `Look with \`kith ps:exec --dyno ${name} ls\``,
      cause: error,
    });
  }
  return new PlatformError('not_found', `Cannot look into "${name}": it does not run just now`, {
    resource: 'dyno',
    hint: 'See `kith ps`',
    cause: error,
  });
}

function tooMany({ name }: DynoPlace, found: string): PlatformError {
  return new PlatformError('rate_limit', `Cannot look into "${name}": ${found} on its peer already`, {
    hint: 'Try again when some have ended',
  });
}

function tooSlow({ name }: DynoPlace): PlatformError {
  return new PlatformError('timeout', `Cannot look into "${name}": its runtime did not answer in time`, {
    hint: 'See `kith peers` and `kith doctor`',
  });
}

function lostHold({ name }: DynoPlace, cause: unknown): PlatformError {
  return new PlatformError(
    'unavailable',
    `The command inside "${name}" was lost: how it ended is not known`,
    {
      hint: 'The dyno may have been stopped: see `kith ps`',
      cause,
    },
  );
}
