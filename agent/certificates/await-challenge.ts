import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 50;
const ANSWER_MS = 1_000;

export type SoughtChallenge = {
  readonly hostname: string;
  readonly token: string;
  readonly authorization: string;
};

/**
 * Waits until all these routers answer a challenge as the authority will ask for it, which may come to any of them; but not
 * longer than so, for one of them may be out of reach from here.
 * @param routers `host:port`
 * @returns those that did not
 */
export async function awaitChallenge(
  routers: readonly string[],
  sought: SoughtChallenge,
  withinMs: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const deadline = performance.now() + withinMs;
  const found = await Promise.all(
    routers.map(async (router) => {
      while (performance.now() < deadline) {
        if ((await answerOf(router, sought, signal)) === sought.authorization) return true;
        await sleep(LOOK_MS, undefined, { signal });
      }
      return false;
    }),
  );
  return routers.filter((_, at) => found[at] === false);
}

/** Null: none. */
async function answerOf(
  router: string,
  { hostname, token, authorization }: SoughtChallenge,
  signal: AbortSignal,
): Promise<string | null> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
  try {
    const url = `http://${router}/.well-known/acme-challenge/${token}`;
    const out = request(url, {
      headers: { host: hostname, connection: 'close' },
      agent: false,
      signal: limit,
    });
    out.end();
    const [response] = (await once(out, 'response', { signal: limit })) as [IncomingMessage];
    let text = '';
    for await (const chunk of response.setEncoding('latin1') as AsyncIterable<string>) {
      text += chunk;
      // The app answers, whatever it is.
      if (text.length > authorization.length) break;
    }
    return text;
  } catch {
    signal.throwIfAborted();
    return null; // Not there yet, or out of reach: looked at again until the deadline.
  }
}
