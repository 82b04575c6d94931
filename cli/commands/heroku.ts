import { once } from 'node:events';
import { UsageError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import type { Context } from '../lib/line/context.ts';
import { Forwarder, forwardPort } from '../lib/heroku/forwarder.ts';
import { targetOf, tokenOf, writeCa, type Target } from '../lib/heroku/heroku-access.ts';
import { herokuEnv } from '../lib/heroku/heroku-env.ts';
import { findHeroku } from '../lib/heroku/heroku-program.ts';
import { passThrough } from '../lib/heroku/pass-through.ts';
import { shellQuote } from '../lib/print/quote.ts';

export default defineCommand({
  args: { command: { is: 'rest', summary: 'what the official CLI is to do: `ps --app blog`' } },
  flags: {
    env: { kind: 'boolean', summary: 'print the environment for a shell instead of running anything' },
    forward: { kind: 'boolean', summary: 'with --env: keep the way to a far peer open until Ctrl-C' },
  },
  endsFlags: true,
  details:
    'Flags of Kith stand before the command, those of the official CLI behind it. It talks to 127.0.0.1 only: to a peer on another machine, a forwarder on this one carries every byte. docs/heroku-cli.md says what works.',
  examples: [
    'kith heroku ps --app blog',
    'kith heroku --host 10.0.0.2:5001 run bash --app blog',
    'eval "$(kith heroku --env)" && heroku apps && git push heroku main',
    'kith heroku --host 10.0.0.2:5001 --env --forward',
  ],
  async run(context) {
    const { flags, args, world } = context;
    if (flags.forward && !flags.env)
      throw new UsageError(
        '--forward goes with --env',
        'A command needs no flag: it is forwarded as it needs',
      );
    if (flags.env === args.command.length > 0)
      throw new UsageError(
        flags.env ? '--env takes no command' : 'No command was given',
        'Give the official CLI something to do: `kith heroku apps`, or ask for its environment: `kith heroku --env`',
      );
    const target = await targetOf(context);
    if (flags.env) return printEnv(context, target, flags.forward);
    await using forwarder = target.isNear ? null : await forward(target);
    const port = forwarder?.port ?? target.port;
    const env = await envFor(context, target, port);
    return await passThrough(findHeroku(world), args.command, world, { ...world.env, ...env });
  },
});

async function envFor(context: Context, { host, isNear }: Target, port: number) {
  const { world } = context;
  const access = {
    address: `${isNear ? host : '127.0.0.1'}:${port}`,
    token: tokenOf(context),
    caFile: await writeCa(context),
    program: findHeroku(world),
  };
  return herokuEnv(access, world.env);
}

/** From the port that git remotes know where that is free; another `kith heroku` may have it just now. */
async function forward(target: Target): Promise<Forwarder> {
  try {
    return await Forwarder.open(target, forwardPort(target));
  } catch {
    return Forwarder.open(target, 0);
  }
}

async function printEnv(context: Context, target: Target, isToForward: boolean): Promise<void> {
  const { screen } = context;
  const port = target.isNear ? target.port : forwardPort(target);
  const env = await envFor(context, target, port);
  await using forwarder = isToForward && !target.isNear ? await Forwarder.open(target, port) : null;
  if (screen.isJson) screen.json(env);
  else screen.lines(Object.entries(env).map(([name, value]) => `export ${name}=${shellQuote(value)}`));
  if (target.isNear) return;
  if (forwarder === null) {
    screen.note('It works while `kith heroku --env --forward` runs, here or in another terminal');
    return;
  }
  screen.note(`Forwarding 127.0.0.1:${port} to ${target.host}:${target.port} until Ctrl-C`);
  await interrupted();
}

async function interrupted(): Promise<void> {
  const over = new AbortController();
  const wait = (signal: NodeJS.Signals): Promise<unknown> => once(process, signal, { signal: over.signal });
  await Promise.race([wait('SIGINT'), wait('SIGTERM'), wait('SIGHUP')]);
  over.abort();
}
