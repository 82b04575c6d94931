import { resolve } from 'node:path';
import type { BuildResource } from '../../src/platform/build.ts';
import type { ReleaseResource } from '../../src/platform/release.ts';
import { followBuild } from '../lib/deploy/build-output.ts';
import { defineCommand } from '../lib/line/command.ts';
import { followRelease } from '../lib/deploy/follow-release.ts';
import { git } from '../lib/deploy/git.ts';
import { uploadSource } from '../lib/deploy/upload-source.ts';

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
    const source = flags.source ?? '.';
    const url = await uploadSource(context, source);
    const cwd = resolve(world.cwd, source);
    const version = flags.version ?? (await git({ ...world, cwd }, 'rev-parse', 'HEAD'));
    const build = await api.post<BuildResource>(`${appPath}/builds`, {
      source_blob: { url, ...(version === null ? {} : { version }) },
    });
    const ended = await followBuild(context, `${appPath}/builds/${build.id}`, build);
    const release = await api.get<ReleaseResource>(`${appPath}/releases/${ended.release?.id ?? 'current'}`);
    const { label } = await followRelease(context, release);
    if (screen.isJson) return screen.json(ended);
    screen.note(`Released ${label} of ${screen.app(await context.app())}`);
  },
});
