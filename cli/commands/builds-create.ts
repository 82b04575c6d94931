import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { BuildResource } from '../../src/platform/build.ts';
import type { ReleaseResource } from '../../src/platform/release.ts';
import { packFolder } from '../lib/archive.ts';
import { followBuild } from '../lib/build-output.ts';
import { CliError } from '../lib/cli-error.ts';
import { defineCommand } from '../lib/command.ts';
import type { Context } from '../lib/context.ts';
import { followRelease } from '../lib/follow-release.ts';
import { git } from '../lib/git.ts';

type Source = { readonly source_blob: { readonly get_url: string; readonly put_url: string } };

export default defineCommand({
  ofApp: true,
  flags: {
    source: { kind: 'string', value: 'PATH', summary: 'folder or .tar.gz archive to build (this folder)' },
    version: { kind: 'string', value: 'VERSION', summary: 'what to call it in the release (the commit)' },
  },
  details: 'Deploys without git: packs the sources, sends them, and shows the build as it goes.',
  examples: ['kith builds:create', 'kith builds:create --source site.tar.gz --version 1.2'],
  async run(context) {
    const { api, screen, flags, world } = context;
    const appPath = await context.appPath();
    const source = resolve(world.cwd, flags.source ?? '.');
    const scratch = await mkdtemp(join(tmpdir(), 'kith-build-'));
    try {
      const url = await send(context, await archiveOf(context, source, join(scratch, 'source.tar.gz')));
      const version = flags.version ?? (await git({ ...world, cwd: source }, 'rev-parse', 'HEAD'));
      const build = await api.post<BuildResource>(`${appPath}/builds`, {
        source_blob: { url, ...(version === null ? {} : { version }) },
      });
      const ended = await followBuild(context, `${appPath}/builds/${build.id}`, build);
      const release = await api.get<ReleaseResource>(`${appPath}/releases/${ended.release?.id ?? 'current'}`);
      const { label } = await followRelease(context, release);
      if (screen.isJson) return screen.json(ended);
      screen.note(`Released ${label} of ${screen.app(await context.app())}`);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  },
});

async function archiveOf({ screen, world }: Context, source: string, target: string): Promise<string> {
  const isFile = await stat(source).then(
    (found) => found.isFile(),
    () => false,
  );
  if (isFile) return source;
  await screen.progress('Packing sources', () => packFolder(world, source, target));
  return target;
}

/** Uploads an archive. @returns the URL that a build takes it from */
async function send({ api, screen }: Context, archive: string): Promise<string> {
  const { size } = await stat(archive);
  if (size === 0) throw new CliError(`"${archive}" is empty`);
  const { source_blob } = await api.post<Source>('/sources');
  await screen.progress(`Sending ${Math.ceil(size / 1_024)} KB`, () =>
    api.upload(source_blob.put_url, { source: () => createReadStream(archive), bytes: size }),
  );
  return source_blob.get_url;
}
