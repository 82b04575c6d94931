import type { ChildProcess } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeError } from './deploy-push.ts';

/** A push on its way: what comes from its client, what goes there, and the git in between. */
export type Upload = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly git: ChildProcess;
};

/** How long a last line may take through hook and git, and a client to read it, before the connection goes. */
const LAST_LINE_MS = 2_000;

/**
 * Ends a push that is still being uploaded, and says why. One that is here as a whole is refused by the hook, in git's own
 * way. Until the pack is here git has said nothing, so that what is said in its place begins the answer.
 */
export function refuseUpload({ request, response, git }: Upload, ended: AbortSignal): void {
  if (request.complete) return;
  git.stdout?.unpipe(response).resume();
  response.end(`${fatal(` !     Push rejected, ${describeError(ended.reason)}`)}0000`);
  // Not at once: a connection that is cut while its client sends takes the answer with it.
  const late = setTimeout(() => git.kill('SIGTERM'), LAST_LINE_MS);
  git.once('close', () => clearTimeout(late));
}

/**
 * Ends what a pusher hears of their push, once the last line has come through. Git goes on. The connection is cut, for a
 * client of git waits for ever on an answer that ends well, but in the middle.
 */
export function hangUp({ response, git }: Upload): void {
  const late = setTimeout(() => response.destroy(), LAST_LINE_MS);
  git.once('close', () => clearTimeout(late));
}

/** What git shows as `remote: TEXT` before it gives up. @see https://git-scm.com/docs/gitprotocol-pack (side-band-64k) */
function fatal(text: string): string {
  const line = `\x03${text}\n`;
  return `${(Buffer.byteLength(line) + 4).toString(16).padStart(4, '0')}${line}`;
}
