import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress } from 'node:zlib';
import type Docker from 'dockerode';
import { extract } from 'tar-stream';
import { PlatformError } from '../../src/errors.ts';
import type { BlobId } from '../../src/ids.ts';
import type { Blobs } from '../../src/shell/blobs.ts';

export type Part = { readonly id: BlobId; readonly bytes: number };
export type ImageParts = { readonly config: Part; readonly layers: readonly Part[] };

/** Configuration and manifest of an image are a few KB. */
const JSON_BYTES_MAX = 4 * 1024 ** 2;
const LAYERS_MAX = 127;
/** Compressed, all layers together. */
const IMAGE_BYTES_MAX = 2 * 1024 ** 3;

type Archive = {
  readonly config: Buffer;
  /** Path in the archive and hash of each layer's tar, the lowest first. */
  readonly layers: readonly { readonly path: string; readonly diff: string }[];
};

/**
 * Takes an image out of the Engine into the blob store: its configuration as it is, each layer's tar compressed with zstd.
 * Layers of earlier images are known by their hash and stored once; `recordPath` remembers them.
 * @throws PlatformError `build_failed` for an image that is too large
 */
export async function storeImage(
  image: Docker.Image,
  blobs: Pick<Blobs, 'has' | 'write'>,
  recordPath: string,
  signal: AbortSignal,
): Promise<ImageParts> {
  const archive = await readArchive(image, signal);
  const known = await readRecord(recordPath);
  const isHeld = (diff: string): boolean => known.has(diff) && blobs.has(known.get(diff)?.id as BlobId);
  const missing = new Map(
    archive.layers.filter(({ diff }) => !isHeld(diff)).map(({ path, diff }) => [path, diff]),
  );
  let bytes = 0;
  if (missing.size > 0) {
    await eachEntry(image, signal, async (path, _link, entry) => {
      const diff = missing.get(path);
      if (diff === undefined || entry === null || isHeld(diff)) return;
      const part = await storeLayer(entry, diff, blobs);
      known.set(diff, part);
    });
    await writeRecord(recordPath, known);
  }
  const layers = archive.layers.map(({ diff }) => mustHave(known.get(diff), diff));
  for (const layer of layers) bytes += layer.bytes;
  if (bytes > IMAGE_BYTES_MAX) {
    const limit = `${IMAGE_BYTES_MAX / 1024 ** 2}M`;
    throw new PlatformError('build_failed', `The image is too large: its layers exceed ${limit}`, {
      hint: 'Start from a smaller image, or build in several stages',
    });
  }
  const config = await blobs.write(Readable.from([archive.config]));
  return { config, layers };
}

/** What `docker save` gives, read for its manifest: the layers' own bytes pass by. */
async function readArchive(image: Docker.Image, signal: AbortSignal): Promise<Archive> {
  const texts = new Map<string, Buffer>();
  const links = new Map<string, string>();
  await eachEntry(image, signal, async (path, link, entry, size) => {
    if (link !== null) links.set(path, posix.join(posix.dirname(path), link));
    else if (entry !== null && size <= JSON_BYTES_MAX) {
      const bytes = await collect(entry);
      // 0x7b is `{`, 0x5b `[`: a layer's tar begins with a file's name.
      if (bytes[0] === 0x7b || bytes[0] === 0x5b) texts.set(path, bytes);
    }
  });
  const manifest = JSON.parse(texts.get('manifest.json')?.toString('utf8') ?? '[]') as readonly {
    readonly Config: string;
    readonly Layers: readonly string[];
  }[];
  const [first] = manifest;
  const config = texts.get(first?.Config ?? '');
  if (first === undefined || config === undefined) throw broken('it has no manifest');
  const diffs = (JSON.parse(config.toString('utf8')) as { rootfs: { diff_ids: readonly string[] } }).rootfs
    .diff_ids;
  if (diffs.length !== first.Layers.length || diffs.length > LAYERS_MAX) {
    throw broken(`it names ${first.Layers.length} layers and ${diffs.length} hashes`);
  }
  // An Engine may write a layer that stands there twice as a link to its first place.
  const layers = first.Layers.map((path, at) => ({ path: links.get(path) ?? path, diff: diffs[at] ?? '' }));
  return { config, layers };
}

type OnEntry = (path: string, link: string | null, entry: Readable | null, size: number) => Promise<void>;

async function eachEntry(image: Docker.Image, signal: AbortSignal, onEntry: OnEntry): Promise<void> {
  const entries = extract();
  const fed = pipeline(await image.get(), entries, { signal });
  // The loop below ends with the same error.
  fed.catch(() => undefined);
  for await (const entry of entries) {
    const { name, type, linkname, size } = entry.header;
    const content = type === 'file' ? (entry as unknown as Readable) : null;
    await onEntry(posix.normalize(name), type === 'symlink' ? (linkname ?? '') : null, content, size ?? 0);
    entry.resume();
  }
  await fed;
}

async function storeLayer(tar: Readable, diff: string, blobs: Pick<Blobs, 'write'>): Promise<Part> {
  const hash = createHash('sha256');
  const hashed = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const packed = createZstdCompress();
  const [part] = await Promise.all([blobs.write(packed), pipeline(tar, hashed, packed)]);
  if (`sha256:${hash.digest('hex')}` === diff) return part;
  throw broken(`layer ${diff} has other bytes than its hash`);
}

async function collect(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) if (chunk instanceof Buffer) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Blobs by the hash of a layer's tar. A record that is lost or torn only costs time. */
async function readRecord(path: string): Promise<Map<string, Part>> {
  try {
    return new Map(Object.entries(JSON.parse(await readFile(path, 'utf8')) as Record<string, Part>));
  } catch {
    return new Map();
  }
}

async function writeRecord(path: string, known: ReadonlyMap<string, Part>): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(Object.fromEntries(known)), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

function mustHave(part: Part | undefined, diff: string): Part {
  if (part !== undefined) return part;
  throw broken(`layer ${diff} is not in it`);
}

function broken(found: string): PlatformError {
  return new PlatformError('internal', `Cannot take the image out of the Docker Engine: ${found}`);
}
