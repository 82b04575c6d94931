import { closeSync, constants, fchownSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Socket, type OnReadOpts } from 'node:net';
import { ReadStream } from 'node:tty';
import type { Readable, Writable } from 'node:stream';
import type { Launch } from './protocol.ts';

/** Both ends of a dyno's stdio: the numbers go to the child, the streams stay here. */
export type Stdio = {
  readonly childIn: number | 'ignore';
  readonly childOut: number;
  readonly output: Readable;
  /** Null for dynos that nobody attaches to. */
  readonly input: Writable | null;
  resize(columns: number, rows: number): void;
  /** To be called once the child has its own copies. */
  closeChildEnds(): void;
};

const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

type TtyStdio = Extract<Launch['stdio'], { tag: 'tty' }>;

type NativePty = {
  open(columns: number, rows: number): { master: number; slave: number };
  resize(master: number, columns: number, rows: number): void;
};

/** @param onLog gets output that goes to the log; the bytes are valid only during the call */
export function openStdio({ stdio, ownUid }: Launch, onLog: (data: Buffer) => void): Stdio {
  return stdio.tag === 'tty' ? openTerminal(stdio, ownUid) : openPipes(stdio, onLog);
}

/**
 * Real pipes, by way of FIFOs: the socket pairs that Node makes for children cannot be opened again as /dev/stdout,
 * which programs like nginx do. stdout and stderr share one, so that their lines keep their order.
 */
function openPipes(stdio: Exclude<Launch['stdio'], TtyStdio>, onLog: (data: Buffer) => void): Stdio {
  const { O_RDONLY, O_WRONLY, O_RDWR, O_NONBLOCK } = constants;
  const outReader = openSync(stdio.outPath, O_RDONLY | O_NONBLOCK);
  const childOut = openSync(stdio.outPath, O_WRONLY);
  const resize = (): void => {};
  if (stdio.tag === 'log') {
    const output = new Socket({ ...reading(outReader), onread: intoOneBuffer(onLog) });
    output.resume();
    return {
      childOut,
      output,
      resize,
      childIn: 'ignore',
      input: null,
      closeChildEnds: () => closeSync(childOut),
    };
  }
  // Held for a moment so that neither of the next two opens has to wait for the other.
  const both = openSync(stdio.inPath, O_RDWR);
  const childIn = openSync(stdio.inPath, O_RDONLY);
  const input = new Socket({
    fd: openSync(stdio.inPath, O_WRONLY | O_NONBLOCK),
    readable: false,
    writable: true,
  });
  closeSync(both);
  const closeChildEnds = (): void => {
    closeSync(childOut);
    closeSync(childIn);
  };
  const output = new Socket(reading(outReader));
  return { childOut, output, resize, childIn, input, closeChildEnds };
}

function reading(fd: number): { fd: number; readable: boolean; writable: boolean } {
  return { fd, readable: true, writable: false };
}

/** Reads of all log pipes share a buffer, for each is dealt with before the next: a flood makes no garbage. */
function intoOneBuffer(onLog: (data: Buffer) => void): OnReadOpts {
  const callback = (bytes: number): boolean => {
    onLog(READ_BUFFER.subarray(0, bytes));
    return true;
  };
  return { buffer: READ_BUFFER, callback };
}

function openTerminal({ columns, rows }: TtyStdio, ownUid: number | null): Stdio {
  const pty = loadPty();
  const { master, slave } = pty.open(columns, rows);
  if (ownUid !== null) fchownSync(slave, ownUid, ownUid);
  const stream = new ReadStream(master);
  return {
    childIn: slave,
    childOut: slave,
    output: stream,
    input: stream,
    resize: (columns, rows) => pty.resize(master, columns, rows),
    closeChildEnds: () => closeSync(slave),
  };
}

/**
 * Only the native part of node-pty, and only once a terminal is asked for: its own `spawn` passes no descriptors but the
 * terminal, and a dyno needs two more.
 */
function loadPty(): NativePty {
  const library = createRequire(import.meta.url)('@lydell/node-pty/requireBinary.js') as {
    requireBinary(name: string): NativePty;
  };
  return library.requireBinary('pty.node');
}
