import { INTERNAL_HOST, INTERNAL_HOST_VARIABLE } from '../../../src/internal-host.ts';
import type { DynoResource } from '../../../src/platform/dyno.ts';
import type { Context } from '../line/context.ts';
import { shellQuote } from '../print/quote.ts';
import { runAttached } from '../run/run-attached.ts';
import { runClient } from '../run/run-client.ts';
import { terminalOf } from '../line/terminal.ts';

/** `psql`, `redis-cli`: its password is in its environment, where no list of processes shows it. */
export type DatabaseClient = {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

/**
 * Runs it on this machine, or, for a server that dynos alone reach, in a one-off dyno of the app.
 * @returns its exit status
 */
export function runDatabaseClient(context: Context, url: URL, client: DatabaseClient): Promise<number> {
  const { program, args, env } = client;
  if (url.hostname !== INTERNAL_HOST) return runClient(program, args, env, context.world);
  return inDyno(context, client);
}

async function inDyno(context: Context, { program, args, env }: DatabaseClient): Promise<number> {
  const { api, screen, world } = context;
  const terminal = terminalOf(world, true);
  const path = await context.appPath('/dynos');
  // Values of its environment are put right by the peer that runs it; of its words, the host is the first such one.
  const host = args.indexOf(INTERNAL_HOST);
  const words = args.map((word, at) => (at === host ? `$${INTERNAL_HOST_VARIABLE}` : shellQuote(word)));
  const label = `Running ${screen.paintErr.cyan(program)} on ${screen.app(await context.app())}`;
  return runAttached(context, terminal, label, () =>
    api.post<DynoResource>(path, {
      attach: true,
      command: [program, ...words].join(' '),
      env: { ...terminal.env, ...env },
      ...(terminal.hasTty ? {} : { force_no_tty: true }),
    }),
  );
}
