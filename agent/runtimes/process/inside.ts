import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import { PlatformError } from '../../../src/errors.ts';
import type { ExecSession, ExecSpec } from '../../../src/shell/runtime.ts';
import type { Tasks } from '../../lib/tasks.ts';
import { familyOf, listProcesses } from '../keeper/process-tree.ts';
import { NOT_RUNNING, type DynoRecord, type Launch } from '../keeper/protocol.ts';
import type { Cgroups } from './cgroups.ts';
import { COPY_COMMAND, COPY_PATH, tarStream } from './copy-out.ts';
import { makeFifos, type DynoFiles } from './dyno-files.ts';
import { enterDyno } from './enter.ts';
import { ExecSessions } from './exec-sessions.ts';
import type { KeeperEvent } from './keeper-client.ts';
import type { KeeperLink } from './keeper-link.ts';
import { DEFAULT_PATH } from './launch.ts';
import { wrapperInput } from './wrapper.ts';

type Profiles = 'profiles' | 'bare';

/** Commands inside running dynos, beside their own process: the keeper is their parent too. */
export class Inside {
  readonly #link: KeeperLink;
  readonly #cgroups: Cgroups | null;
  readonly #tasks: Tasks;
  readonly #sessions = new ExecSessions();

  constructor(link: KeeperLink, cgroups: Cgroups | null, tasks: Tasks) {
    this.#link = link;
    this.#cgroups = cgroups;
    this.#tasks = tasks;
  }

  onEvent(event: KeeperEvent): void {
    this.#sessions.onEvent(event);
  }

  onLost(): void {
    this.#sessions.closeAll();
  }

  async exec(
    record: DynoRecord,
    files: DynoFiles,
    spec: ExecSpec,
    profiles: Profiles = 'profiles',
  ): Promise<ExecSession> {
    const id = `exec-${randomUUID()}`;
    const fifos = { outPath: join(files.dir, `${id}.out`), inPath: join(files.dir, `${id}.in`) };
    const ended = this.#sessions.open(id);
    try {
      const launch = this.#launchOf(id, { record, files, spec, fifos, profiles });
      if (spec.tty === null) await makeFifos(Object.values(fifos), record.ownUid);
      await this.#link.request({ tag: 'exec', dyno: record.dyno, launch });
      const stdio = await this.#link.attach(id);
      stdio.on('error', () => {});
      this.#endWith(stdio, id, ended);
      return {
        stdio,
        ended,
        resize: async (columns, rows) => {
          await this.#link.request({ tag: 'resize', dyno: id, columns, rows });
        },
      };
    } catch (cause) {
      this.#sessions.close(id);
      if (cause instanceof PlatformError) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      if (reason === NOT_RUNNING) throw notRunning(record.dyno);
      throw new PlatformError('internal', `Cannot run a command in dyno "${record.dyno}": ${reason}`, {
        cause,
      });
    } finally {
      // Both ends are open by now, or never will be.
      for (const path of Object.values(fifos)) await rm(path, { force: true });
    }
  }

  async copyOut(record: DynoRecord, files: DynoFiles, path: string): Promise<Readable> {
    if (path === '' || path.includes('\0')) {
      throw new PlatformError(
        'bad_request',
        `Cannot copy "${path}" out of dyno "${record.dyno}": it is no path`,
      );
    }
    // Profiles may print, and config vars may lead to another tar: neither is wanted here.
    const env = { [COPY_PATH]: path, PATH: DEFAULT_PATH };
    const session = await this.exec(record, files, { command: COPY_COMMAND, env, tty: null }, 'bare');
    return await tarStream(session, record.dyno, path);
  }

  /** That a client hung up does not show at the keeper's end of a socket until something is written to it. */
  #endWith(stdio: Duplex, id: string, ended: ExecSession['ended']): void {
    let isOver = false;
    void ended.then(() => (isOver = true));
    stdio.once('close', () => {
      if (isOver || stdio.readableEnded) return;
      this.#tasks.run('end a command', () =>
        this.#link.request({ tag: 'signal', dyno: id, signal: 'SIGKILL' }),
      );
    });
  }

  #launchOf(
    id: string,
    options: {
      readonly record: DynoRecord;
      readonly files: DynoFiles;
      readonly spec: ExecSpec;
      readonly fifos: { readonly outPath: string; readonly inPath: string };
      readonly profiles: Profiles;
    },
  ): Launch {
    const { record, files, spec, fifos, profiles } = options;
    const { command, env, tty } = spec;
    const cgroup = this.#cgroups?.find(record.dyno) ?? null;
    const processesMax = processesMaxOf(record.pid);
    const way = enterDyno({ record, files, cgroup, tty: tty !== null, processesMax, profiles });
    if (way === null) throw notRunning(record.dyno);
    return {
      ...way,
      dyno: id,
      labels: {},
      secrets: wrapperInput({ ...env, ...(tty === null ? {} : { TERM: tty.term }) }, command),
      stdio: tty === null ? { tag: 'pipes', ...fifos } : { tag: 'tty', columns: tty.columns, rows: tty.rows },
      ownUid: record.ownUid,
      containment: { tag: 'family' },
      port: null,
    };
  }
}

export function notRunning(dyno: string): PlatformError {
  return new PlatformError('not_found', `Cannot find dyno "${dyno}": it does not run here`, {
    resource: 'dyno',
  });
}

/** The bound that the dyno's own processes were started with; null when they have none. */
function processesMaxOf(leader: number): number | null {
  const last = familyOf(leader, listProcesses()).at(-1) ?? leader;
  try {
    const limits = readFileSync(`/proc/${last}/limits`, 'latin1');
    const soft = /^Max processes +(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}
