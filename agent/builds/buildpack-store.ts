import { createHash, randomUUID } from 'node:crypto';
import { access, chown, cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { parseBuildpack, type BuildpackSource } from '../../src/builds/buildpack-choice.ts';
import { PlatformError } from '../../src/errors.ts';
import { runInSandbox } from './run-in-sandbox.ts';
import type { Sandbox } from './sandbox.ts';
import { unpackSource } from './source.ts';

const FETCH_MS = 2 * 60_000;
const BYTES_MAX = 200 * 1024 * 1024;

// A commit id cannot always be fetched by itself: then the whole history is.
const GIT_FETCH = `
set -e
git init -q "$1" && cd "$1"
git fetch -q --depth 1 -- "$2" "$3" || git fetch -q -- "$2" '+refs/*:refs/remotes/all/*'
git checkout -q FETCH_HEAD 2>/dev/null && [ "$3" = HEAD ] || git checkout -q "$3" 2>/dev/null || git checkout -q FETCH_HEAD
`;

/** Gets buildpacks onto this host and copies them where a build may scribble in them. */
export class BuildpackStore {
  readonly #bundledDir: string;
  readonly #cacheDir: string;
  readonly #sandbox: Sandbox;
  readonly #env: Readonly<Record<string, string>>;

  constructor(parts: {
    bundledDir: string;
    cacheDir: string;
    sandbox: Sandbox;
    env: Readonly<Record<string, string>>;
  }) {
    this.#bundledDir = parts.bundledDir;
    this.#cacheDir = parts.cacheDir;
    this.#sandbox = parts.sandbox;
    this.#env = parts.env;
  }

  /**
   * Copies the buildpack called `text` to `target`. One that comes from the network is fetched anew each time; where
   * that fails, the copy of the last time serves, and `warn` says so.
   */
  async copyTo(
    text: string,
    target: string,
    signal: AbortSignal,
    warn: (line: string) => void,
  ): Promise<void> {
    const source = parseBuildpack(text);
    const from = await this.#locate(text, source, signal, warn);
    const root = await packRoot(from);
    if (root === null) {
      throw new PlatformError('build_failed', `"${text}" is no buildpack: it has no bin/compile`, {
        hint: 'A buildpack has executables bin/detect and bin/compile',
      });
    }
    await cp(root, target, { recursive: true, filter: (path) => !path.endsWith('/.git') });
    // Bundled buildpacks share scripts: the folder beside them comes along.
    if (source.tag === 'bundled') {
      await cp(join(this.#bundledDir, 'lib'), join(target, '..', 'lib'), { recursive: true, force: true });
    }
  }

  async #locate(
    text: string,
    source: BuildpackSource,
    signal: AbortSignal,
    warn: (line: string) => void,
  ): Promise<string> {
    if (source.tag === 'bundled') return join(this.#bundledDir, source.name);
    if (source.tag === 'folder') return source.path;
    const kept = join(this.#cacheDir, createHash('sha256').update(text).digest('hex').slice(0, 32));
    const fresh = `${kept}.${randomUUID()}`;
    await mkdir(this.#cacheDir, { recursive: true, mode: 0o711 });
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(FETCH_MS)]);
    try {
      await mkdir(fresh);
      if (source.tag === 'tar') await fetchTar(source.url, fresh, deadline);
      else await this.#fetchGit(source, fresh, deadline);
      await rm(kept, { recursive: true, force: true });
      await rename(fresh, kept);
    } catch (cause) {
      await rm(fresh, { recursive: true, force: true });
      signal.throwIfAborted();
      const reason = cause instanceof Error ? cause.message : String(cause);
      if ((await packRoot(kept)) === null) {
        throw new PlatformError('build_failed', `Cannot fetch buildpack "${text}": ${reason}`, {
          cause,
          hint: 'Check its URL, and that this peer can reach it',
        });
      }
      warn(`Cannot fetch buildpack "${text}" (${reason}): using the copy of the last build`);
    }
    return kept;
  }

  async #fetchGit(
    source: { url: string; ref: string | null },
    dir: string,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#sandbox.uid !== null) await chown(dir, this.#sandbox.uid, this.#sandbox.uid);
    const said: string[] = [];
    const { status } = await runInSandbox(
      this.#sandbox,
      {
        script: GIT_FETCH,
        args: [dir, source.url, source.ref ?? 'HEAD'],
        env: { ...this.#env, HOME: dir, GIT_TERMINAL_PROMPT: '0' },
        writable: [dir],
        readable: [],
        shown: [],
      },
      (line) => said.push(line),
      signal,
    );
    if (status !== 0) throw new Error(said.slice(-3).join('; ') || 'git failed');
  }
}

async function fetchTar(url: string, dir: string, signal: AbortSignal): Promise<void> {
  const response = await fetch(url, { signal });
  if (!response.ok || response.body === null) throw new Error(`the server answered ${response.status}`);
  await unpackSource(Readable.from(response.body), dir, BYTES_MAX);
}

/** Where `bin/compile` is: at the top, or below the single folder that source archives wrap everything in. */
async function packRoot(dir: string): Promise<string | null> {
  const names = await readdir(dir).catch(() => []);
  const only = names.length === 1 && names[0] !== undefined ? [join(dir, names[0])] : [];
  for (const root of [dir, ...only]) {
    try {
      await access(join(root, 'bin', 'compile'));
      return root;
    } catch {
      // Not there: the next.
      continue;
    }
  }
  return null;
}
