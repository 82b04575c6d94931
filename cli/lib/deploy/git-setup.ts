import { resolve } from 'node:path';
import type { PeerResource } from '../../../src/platform/peer.ts';
import { CliError } from '../line/cli-error.ts';
import type { Context } from '../line/context.ts';
import { git, isGitRepository, listRemotes, setRemote } from './git.ts';
import type { Remote } from './git.ts';
import { shellQuote } from '../print/quote.ts';

/** `http://HOST:PORT` that git pushes to: the API that is spoken to, or that of the agent behind the Unix socket. */
export async function gitBase(context: Context): Promise<string> {
  if (context.endpoint.kind === 'http') return context.endpoint.base;
  const peers = await context.api.get<readonly PeerResource[]>('/kith/peers');
  const address = peers.find((peer) => peer.self)?.addresses.api ?? null;
  if (address === null) {
    throw new CliError('The agent does not say where its API listens', {
      hint: 'Name it with --host HOST:PORT',
    });
  }
  // An agent that listens everywhere is found here too.
  return `http://${address.replace(/^(0\.0\.0\.0|\[::\]):/, '127.0.0.1:')}`;
}

export function gitUrl(base: string, app: string): string {
  return `${base}/${app}.git`;
}

/**
 * The remotes that push to an app: those to the peer that is spoken to, and the one of the name that is Kith's here,
 * whichever peer it pushes to. Another may be another service's repository of the same name.
 */
export async function appRemotes(context: Context, app: string): Promise<readonly Remote[]> {
  const here = gitUrl(await gitBase(context), app);
  const isToPeer = (url: string): boolean => url.startsWith('http') && url.endsWith(gitUrl('', app));
  const remotes = await listRemotes(context.world);
  return remotes.filter(({ name, url }) => url === here || (name === context.remote && isToPeer(url)));
}

/**
 * Adds the remote to the repository of the folder, and has git ask `kith git:credentials` for the token: no URL and no
 * file of the repository holds one. False outside of a repository.
 */
export async function setUpGit(context: Context, base: string, app: string): Promise<boolean> {
  const { world } = context;
  if (!(await isGitRepository(world))) return false;
  await setRemote(world, context.remote, gitUrl(base, app));
  const key = `credential.${base}.helper`;
  // The empty entry keeps helpers of the user's own configuration from storing the token.
  await git(world, 'config', '--local', '--unset-all', key);
  await git(world, 'config', '--local', '--add', key, '');
  await git(world, 'config', '--local', '--add', key, credentialHelper(context));
  return true;
}

function credentialHelper({ endpoint }: Context): string {
  const kith = shellQuote(resolve(import.meta.dirname, '../../kith'));
  const data =
    endpoint.kind === 'unix' && endpoint.dataDir !== null ? ` --data ${shellQuote(endpoint.dataDir)}` : '';
  return `!${kith} git:credentials${data}`;
}
