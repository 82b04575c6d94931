import { mustApp, mustRelease } from '../apps/decide-app.ts';
import type { CommandContext, CommandOf } from '../command.ts';
import type { Fold } from '../fold.ts';
import type { OpDraft } from '../op.ts';
import { headsOf } from '../register.ts';

export function recordBuild(
  fold: Fold,
  command: CommandOf<'build.record'>,
  { user }: CommandContext,
): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const { build, status, commit, buildpacks, output, startedAt } = command;
  const release = command.release === null ? null : mustRelease(app, command.release).op;
  const known = app.builds.get(build);
  if (known?.status === status && known.output === output && known.release === command.release) return [];
  const parents = headsOf(state.builds.get(build));
  return [
    {
      parents: release === null ? parents : [...parents, release],
      body: {
        kind: 'build.record',
        app: app.id,
        build,
        status,
        commit,
        buildpacks,
        output,
        release,
        user,
        startedAt,
      },
    },
  ];
}

/** A slug that came from a client and may be released from now on. */
export function createSlug(
  fold: Fold,
  { app: id, slug, checksum }: CommandOf<'slug.create'>,
  { user }: CommandContext,
): readonly OpDraft[] {
  const { app } = mustApp(fold, id);
  if (slug.upload !== undefined && app.uploads.has(slug.upload)) return [];
  return [{ parents: [], body: { kind: 'slug.create', app: id, slug, checksum, user } }];
}
