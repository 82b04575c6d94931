import { PlatformError } from '../errors.ts';

export type TarEntry = {
  readonly path: string;
  readonly type: 'file' | 'folder' | 'symlink' | 'hardlink' | 'other';
  /** Bytes of content that follow. */
  readonly bytes: number;
  readonly mode: number;
  readonly link: string;
};

export type TarEvent =
  | { readonly tag: 'entry'; readonly entry: TarEntry }
  | { readonly tag: 'data'; readonly chunk: Uint8Array }
  /** The entry's content is complete. */
  | { readonly tag: 'end' };

const BLOCK = 512;
// Long names come in records of their own: more than this is no name.
const META_BYTES_MAX = 64 * 1024;

/**
 * Reads a tar stream piece by piece: ustar, GNU long names and pax records, which is all that `git archive`, GNU tar
 * and bsdtar write. Pure: it says what the archive says; whether to believe it is the caller's business.
 */
export class TarReader {
  #pending: Uint8Array = new Uint8Array(0);
  /** Content, then padding, still to come of the entry under way. */
  #content = 0;
  #padding = 0;
  #isOpen = false;
  #meta: { readonly type: string; chunks: Uint8Array[] } | null = null;
  #overrides: { path?: string; link?: string; bytes?: number } = {};
  #zeroBlocks = 0;
  #isEmpty = true;

  /** @throws PlatformError `bad_request` when this is no tar */
  *push(chunk: Uint8Array): Generator<TarEvent> {
    let rest = this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk;
    this.#pending = new Uint8Array(0);
    while (rest.length > 0 || this.#isOpen) {
      if (this.#content > 0) {
        if (rest.length === 0) return;
        const take = rest.subarray(0, this.#content);
        this.#content -= take.length;
        rest = rest.subarray(take.length);
        if (this.#meta === null) yield { tag: 'data', chunk: take };
        else this.#meta.chunks.push(take);
      }
      if (this.#content > 0) return;
      if (this.#isOpen) {
        this.#isOpen = false;
        if (this.#meta === null) yield { tag: 'end' };
        else this.#takeMeta();
      }
      const skip = Math.min(this.#padding, rest.length);
      this.#padding -= skip;
      rest = rest.subarray(skip);
      if (this.#padding > 0 || this.#zeroBlocks >= 2) return;
      if (rest.length < BLOCK) {
        this.#pending = rest.slice();
        return;
      }
      const entry = this.#header(rest.subarray(0, BLOCK));
      rest = rest.subarray(BLOCK);
      if (entry !== null) yield { tag: 'entry', entry };
    }
  }

  /** Call when the stream has ended: throws when an entry is cut off. */
  finish(): void {
    if (this.#content > 0 || this.#isOpen || this.#pending.length > 0) throw bad('it is cut off');
    if (this.#isEmpty) throw bad('it is empty');
  }

  #header(block: Uint8Array): TarEntry | null {
    this.#isEmpty = false;
    if (block.every((byte) => byte === 0)) {
      this.#zeroBlocks += 1;
      return null;
    }
    this.#zeroBlocks = 0;
    mustMatchChecksum(block);
    const type = String.fromCharCode(block[156] ?? 0);
    const isMeta = 'LKxg'.includes(type);
    const bytes = (isMeta ? undefined : this.#overrides.bytes) ?? number(block, 124, 12);
    if (isMeta && bytes > META_BYTES_MAX) throw bad('a name in it is too long');
    const kind = typeOf(type);
    // Links and folders may state a size, yet no content follows them.
    const contentBytes = isMeta || kind === 'file' || kind === 'other' ? bytes : 0;
    this.#content = contentBytes;
    this.#padding = (BLOCK - (contentBytes % BLOCK)) % BLOCK;
    this.#isOpen = true;
    this.#meta = isMeta ? { type, chunks: [] } : null;
    if (isMeta) return null;
    const prefix = text(block, 257, 5) === 'ustar' && block[263] === 0x30 ? text(block, 345, 155) : '';
    const name = text(block, 0, 100);
    const entry: TarEntry = {
      path: this.#overrides.path ?? (prefix === '' ? name : `${prefix}/${name}`),
      type: name.endsWith('/') && kind === 'file' ? 'folder' : kind,
      bytes: contentBytes,
      mode: number(block, 100, 8),
      link: this.#overrides.link ?? text(block, 157, 100),
    };
    this.#overrides = {};
    return entry;
  }

  #takeMeta(): void {
    const { type, chunks } = this.#meta ?? { type: '', chunks: [] };
    const body = Buffer.concat(chunks);
    this.#meta = null;
    if (type === 'L') this.#overrides.path = text(body, 0, body.length);
    else if (type === 'K') this.#overrides.link = text(body, 0, body.length);
    else if (type === 'x') {
      for (const [key, value] of paxRecords(body)) {
        if (key === 'path') this.#overrides.path = value;
        else if (key === 'linkpath') this.#overrides.link = value;
        else if (key === 'size') this.#overrides.bytes = mustBeSize(Number(value));
      }
    }
  }
}

function typeOf(flag: string): TarEntry['type'] {
  if (flag === '0' || flag === '\0' || flag === '7') return 'file';
  if (flag === '5') return 'folder';
  if (flag === '2') return 'symlink';
  return flag === '1' ? 'hardlink' : 'other';
}

function* paxRecords(body: Buffer): Generator<[string, string]> {
  for (let at = 0; at < body.length;) {
    const space = body.indexOf(0x20, at);
    const length = space === -1 ? Number.NaN : Number(body.toString('latin1', at, space));
    if (!Number.isSafeInteger(length) || length <= space - at || at + length > body.length)
      throw bad('a pax record in it is broken');
    const record = body.toString('utf8', space + 1, at + length - 1);
    const equals = record.indexOf('=');
    if (equals > 0) yield [record.slice(0, equals), record.slice(equals + 1)];
    at += length;
  }
}

function text(block: Uint8Array, from: number, length: number): string {
  const field = block.subarray(from, from + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end === -1 ? field : field.subarray(0, end));
}

/** Octal text, or GNU's base-256 when the first bit is set. */
function number(block: Uint8Array, from: number, length: number): number {
  const first = block[from] ?? 0;
  if (first < 0x80) return mustBeSize(Number.parseInt(text(block, from, length).trim() || '0', 8));
  let value = first & 0x7f;
  for (const byte of block.subarray(from + 1, from + length)) value = value * 256 + byte;
  return mustBeSize(value);
}

function mustBeSize(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw bad('a number in it is broken');
  return value;
}

function mustMatchChecksum(block: Uint8Array): void {
  let sum = 0;
  for (const [index, byte] of block.entries()) sum += index >= 148 && index < 156 ? 0x20 : byte;
  if (sum !== number(block, 148, 8)) throw bad('a header in it has the wrong checksum');
}

function bad(reason: string): PlatformError {
  return new PlatformError('bad_request', `Cannot read the source archive: ${reason}`, {
    hint: 'Send a .tar or a .tar.gz',
  });
}
