import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command } from '../lib/line/command.ts';
import { GLOBAL_FLAGS } from '../lib/line/specs.ts';
import { readHosts } from '../lib/api/hosts.ts';
import { parseArgs } from '../lib/line/parse-args.ts';
import { readAll } from '../lib/line/prompt.ts';
import type { World } from '../lib/line/world.ts';

const spec: Command = {
  args: { operation: { is: 'optional' } },
  flags: { data: GLOBAL_FLAGS.data },
};

const gitCredentials: Command = { details: 'git calls this; see `kith git:remote`.', runRaw: answerGit };
export default gitCredentials;

/**
 * Git's credential helper: `get` prints user and token for the host that git names on stdin; `store` and `erase` have
 * nothing to do. https://git-scm.com/docs/gitcredentials#_custom_helpers
 */
async function answerGit(words: readonly string[], world: World): Promise<number> {
  const { flags, args } = parseArgs('git:credentials', spec, words);
  if (args['operation'] !== 'get') return 0;
  const asked = new Map(
    (await readAll(world)).split('\n').flatMap((row) => {
      const equals = row.indexOf('=');
      return equals < 1 ? [] : [[row.slice(0, equals), row.slice(equals + 1)] as const];
    }),
  );
  const base = `${asked.get('protocol')}://${asked.get('host')}`;
  const data = typeof flags['data'] === 'string' ? flags['data'] : null;
  const token = await findToken(base, data, world);
  // No answer makes git ask the user.
  if (token !== null) world.stdout.write(`username=kith\npassword=${token}\n`);
  return 0;
}

/**
 * The token of the agent on this machine only where `git:remote` named its folder; else a saved login of that very
 * host, or KITH_TOKEN. No token goes to a host that it was not meant for.
 */
async function findToken(base: string, data: string | null, { env }: World): Promise<string | null> {
  if (data !== null) return readToken(data);
  return readHosts(env).hosts[base]?.token ?? (env['KITH_TOKEN'] || null);
}

async function readToken(dir: string): Promise<string | null> {
  try {
    return (await readFile(join(dir, 'token'), 'utf8')).trim() || null;
  } catch (error) {
    // No agent here, or not ours: then there is no token to give.
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}
