import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, CliError } from '../line/cli-error.ts';
import type { Client } from '../api/client.ts';
import { SseParser } from '../api/sse.ts';

export type LogQuery = {
  readonly lines: number;
  readonly tail: boolean;
  readonly source?: string | undefined;
  readonly dyno?: string | undefined;
};

// Peers send a comment at least that often.
const SILENCE_MS = 90_000;
const RETRY_MS_DEFAULT = 1_000;
/** After so many tries in a row that brought nothing, a tail gives up: about a minute. */
const TRIES_MAX = 15;
const RETRY_MS_MAX = 5_000;

/**
 * Yields log lines. A tail outlives its connection: it comes back to the same session, after the last line that it
 * got, and asks for a new session where the peer has forgotten the old one.
 * @param onLost told of each lost connection
 */
export async function* streamLog(
  api: Client,
  appPath: string,
  query: LogQuery,
  onLost: (reason: string) => void,
): AsyncGenerator<string> {
  let url = await openSession(api, appPath, query);
  let lastId: string | null = null;
  let retryMs = RETRY_MS_DEFAULT;
  for (let tries = 1; ; tries += 1) {
    const parser = new SseParser();
    try {
      const headers = {
        accept: 'text/event-stream',
        ...(lastId === null ? {} : { 'last-event-id': lastId }),
      };
      const response = await api.stream(url, { headers, timeoutMs: SILENCE_MS });
      response.setEncoding('utf8');
      for await (const text of response) {
        for (const { id, lines } of parser.push(String(text))) {
          // Before the lines are shown: whoever stops reading has not lost its place.
          lastId = id ?? lastId;
          tries = 0;
          yield* lines;
        }
      }
      if (!query.tail) return;
      retryMs = parser.retryMs ?? RETRY_MS_DEFAULT;
    } catch (error) {
      if (!query.tail || tries >= TRIES_MAX || !isPassing(error)) throw error;
      onLost(error instanceof Error ? error.message : String(error));
      if (error instanceof ApiError) url = await openSession(api, appPath, query);
      retryMs = Math.min(RETRY_MS_MAX, RETRY_MS_DEFAULT * 2 ** Math.min(tries, 3));
    }
    await sleep(retryMs);
  }
}

async function openSession(api: Client, appPath: string, query: LogQuery): Promise<string> {
  const session = await api.post<{ logplex_url: string }>(`${appPath}/log-sessions`, query);
  return session.logplex_url;
}

/** A lost connection, and a session that a restarted peer does not know; anything else stays wrong. */
function isPassing(error: unknown): boolean {
  if (error instanceof ApiError) return error.status === 404 || error.status === 403 || error.status >= 500;
  return error instanceof CliError || (error instanceof Error && 'code' in error);
}
