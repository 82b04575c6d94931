import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { packFolder } from './archive.ts';
import { CliError } from '../line/cli-error.ts';
import type { Context } from '../line/context.ts';

type Source = { readonly source_blob: { readonly get_url: string; readonly put_url: string } };

/** Sends a folder, packed, or an archive as it is. @returns the URL that a build takes it from */
export async function uploadSource(context: Context, source: string): Promise<string> {
  const path = resolve(context.world.cwd, source);
  const scratch = await mkdtemp(join(tmpdir(), 'kith-build-'));
  try {
    return await send(context, await archiveOf(context, path, join(scratch, 'source.tar.gz')));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function archiveOf({ screen, world }: Context, source: string, target: string): Promise<string> {
  const isFile = await stat(source).then(
    (found) => found.isFile(),
    () => false,
  );
  if (isFile) return source;
  await screen.progress('Packing sources', () => packFolder(world, source, target));
  return target;
}

async function send({ api, screen }: Context, archive: string): Promise<string> {
  const { size } = await stat(archive);
  if (size === 0) throw new CliError(`"${archive}" is empty`);
  const { source_blob } = await api.post<Source>('/sources');
  await screen.progress(`Sending ${Math.ceil(size / 1_024)} KB`, () =>
    api.upload(source_blob.put_url, { source: () => createReadStream(archive), bytes: size }),
  );
  return source_blob.get_url;
}
