import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createZstdDecompress } from 'node:zlib';
import { pino } from 'pino';
import { openBuilds, type Builder, type BuilderOptions } from '../../agent/builds/builder.ts';
import { unpackSource } from '../../agent/builds/source.ts';
import { openBlobs, type BlobStore } from '../../agent/slugs/blob-store.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { SlugRef } from '../../src/ledger/releases/release-types.ts';
import type { BuildOutcome, BuildRequest } from '../../src/shell/builds.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { MemoryMesh } from '../slugs/memory-mesh.ts';
import { FakeHost } from './fake-host.ts';

const run = promisify(execFile);

/** Files of an app by path. */
export type Files = Readonly<Record<string, string>>;

export type BuildPeer = {
  readonly dir: string;
  readonly host: FakeHost;
  readonly blobs: BlobStore;
  readonly builds: Builder;
  /** Lines of the app's log. */
  readonly logged: string[];
  build(
    app: App,
    source: Files | Readable,
    request?: Partial<BuildRequest>,
  ): Promise<{ outcome: BuildOutcome; output: string; build: string }>;
  /** The released slug, unpacked. */
  slug(app: App): Promise<string>;
} & AsyncDisposable;

/** One peer's blobs and builds over real files, with a ledger in memory. */
export async function openBuildPeer(
  options: Partial<BuilderOptions> = {},
  mesh = new MemoryMesh(),
  name = 'a',
  host = new FakeHost(),
): Promise<BuildPeer> {
  const dir = await tempDir();
  const log = pino({ level: 'silent' });
  const blobs = await openBlobs({
    dir: join(dir.path, 'blobs'),
    mesh: mesh.peer(name),
    log,
    freeBytesMin: 0,
  });
  const logged: string[] = [];
  const builds = await openBuilds({
    dir: dir.path,
    host,
    blobs,
    log,
    runtimeArch: process.arch,
    peersForReplication: () => [],
    onLog: (_, text) => logged.push(text),
    internalHost: '127.64.0.1',
    buildpacksDir: join(import.meta.dirname, '..', '..', 'buildpacks'),
    webUrl: ({ name }) => `http://${name}.localhost:8080/`,
    ...options,
  });
  return {
    dir: dir.path,
    host,
    blobs,
    builds,
    logged,
    async build(app, source, request = {}) {
      const build = randomUUID();
      let output = '';
      const outcome = await builds.run(
        {
          app: app.id,
          build,
          user: 'me@example.com',
          request: null,
          source: source instanceof Readable ? source : await tarFiles(source),
          version: '0b0e75c1d2e3f405',
          bundle: null,
          ...request,
        },
        (text) => (output += text),
      );
      return { outcome, output, build };
    },
    async slug(app) {
      const slug = host.current(app.id).slug;
      if (slug === null) throw new Error('Nothing was released');
      return unpackSlug(blobs, slug, join(dir.path, `slug-${randomUUID()}`));
    },
    async [Symbol.asyncDispose]() {
      await builds[Symbol.asyncDispose]();
      await blobs[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

export async function writeFiles(dir: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text, { mode: text.startsWith('#!') ? 0o755 : 0o644 });
  }
}

export async function tarFiles(files: Files): Promise<Readable> {
  await using dir = await tempDir();
  await writeFiles(dir.path, files);
  return await tarFolder(dir.path);
}

export async function tarFolder(path: string): Promise<Readable> {
  const { stdout } = await run('tar', ['-C', path, '-czf', '-', '.'], {
    encoding: 'buffer',
    maxBuffer: 64 * 1024 * 1024,
  });
  return Readable.from([stdout]);
}

async function unpackSlug(blobs: BlobStore, slug: SlugRef, target: string): Promise<string> {
  await mkdir(target);
  for (const { id } of [...(slug.layers ?? []), slug]) {
    await unpackSource(createReadStream(blobs.path(id)).pipe(createZstdDecompress()), target);
  }
  return target;
}
