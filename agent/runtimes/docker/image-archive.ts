import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { pack } from 'tar-stream';
import type { SlugFiles } from '../../../src/shell/slug-files.ts';

/**
 * A container image as `docker load` takes it, made of the image's configuration and its layers. A tar says the size of
 * each entry before its bytes, so each layer is decompressed twice: once to be measured. The layers' hashes are in the
 * configuration, and the Engine checks them.
 * @param tag what the image will be called
 */
export function imageArchive(slug: SlugFiles, tag: string): Readable {
  const output = new PassThrough();
  void write(slug, tag, output).catch((error: unknown) => {
    output.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  return output;
}

async function write({ id, path, layers }: SlugFiles, tag: string, output: Writable): Promise<void> {
  const archive = pack();
  const written = pipeline(Readable.from(archive, { objectMode: false }), output);
  const config = `${id}.json`;
  const names = layers.map((layer, index) => `${index}-${layer.id}/layer.tar`);
  archive.entry({ name: config }, await readFile(path));
  archive.entry(
    { name: 'manifest.json' },
    JSON.stringify([{ Config: config, RepoTags: [tag], Layers: names }]),
  );
  for (const [index, layer] of layers.entries()) {
    const entry = archive.entry({ name: names[index] ?? '', size: await unpackedBytes(layer.path) });
    await pipeline(createReadStream(layer.path), createZstdDecompress(), entry);
  }
  archive.finalize();
  await written;
}

async function unpackedBytes(path: string): Promise<number> {
  let bytes = 0;
  const count = new Writable({
    write(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done();
    },
  });
  await pipeline(createReadStream(path), createZstdDecompress(), count);
  return bytes;
}
