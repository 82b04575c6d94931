import type { DynoResource } from '../../../src/platform/dyno.ts';
import { attachTo } from './attach.ts';
import { CliError } from '../line/cli-error.ts';
import type { Context } from '../line/context.ts';
import type { Terminal } from '../line/terminal.ts';

/**
 * Has a peer start a process, and joins it with this terminal until it ends.
 * @param label what is shown meanwhile
 * @param start asks for the process; resolves with the dyno whose `attach_url` it is
 * @returns the exit status of the process
 */
export async function runAttached(
  { api, screen, world }: Context,
  terminal: Terminal,
  label: string,
  start: () => Promise<DynoResource>,
): Promise<number> {
  const { stream } = await screen.progress(
    label,
    async (update) => {
      const dyno = await start();
      update(`connecting, ${dyno.name}`);
      const stream = await api.upgrade(`/kith/attach/${secretOf(dyno.attach_url)}`, 'kith-attach');
      return { dyno, stream };
    },
    ({ dyno }) => `up, ${dyno.name}`,
  );
  return attachTo(stream.socket, stream.head, world, terminal.hasTty);
}

/** The last part of `rendezvous://HOST:PORT/SECRET`: the peer that is spoken to knows it, whatever it calls itself. */
function secretOf(attachUrl: string | null): string {
  const secret = /^[a-z]+:\/\/[^/]+\/([^/?]+)/.exec(attachUrl ?? '')?.[1];
  if (secret === undefined) throw new CliError('The peer does not say where to attach');
  return secret;
}
