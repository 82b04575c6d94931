import { existsSync } from 'node:fs';
import type Docker from 'dockerode';

const SOCKET = '/var/run/docker.sock';
const ANSWER_MS = 3_000;

/**
 * The Docker Engine of this host, or null where none answers: builds show it this host's folders, so one elsewhere is of no
 * use. The library is loaded only where there may be an Engine.
 */
export async function connectDocker(): Promise<Docker | null> {
  const host = process.env['DOCKER_HOST'] || `unix://${SOCKET}`;
  const socketPath = host.startsWith('unix://') ? host.slice('unix://'.length) : null;
  if (socketPath === null || !existsSync(socketPath)) return null;
  const { default: Client } = await import('dockerode');
  try {
    await new Client({ socketPath, timeout: ANSWER_MS }).ping();
    return new Client({ socketPath });
  } catch {
    // Nobody listens there, or we may not speak to whoever does: to us there is no Engine.
    return null;
  }
}

/** Whether the Engine says that there is no such thing, or that it is going already. */
export function isGone(error: unknown): boolean {
  const { statusCode } = error as { statusCode?: number };
  return statusCode === 404 || statusCode === 409;
}

/** One record of what an Engine says while it builds, pulls or imports. */
export type EngineMessage = {
  readonly stream?: string;
  readonly status?: string;
  readonly id?: string;
  readonly error?: string;
  readonly aux?: { readonly ID?: string };
};

const MESSAGE_BYTES_MAX = 4 * 1024 ** 2;

/**
 * Reads an Engine's answer to its end. A failure comes in the middle of it, under a status that said 200.
 * @throws Error in the Engine's words
 */
export async function followAnswer(
  answer: NodeJS.ReadableStream,
  onMessage: (message: EngineMessage) => void = () => undefined,
): Promise<void> {
  let rest = Buffer.alloc(0);
  for await (const chunk of answer) {
    rest = Buffer.concat([rest, Buffer.from(chunk)]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = rest.subarray(0, end).toString('utf8').trim();
      rest = rest.subarray(end + 1);
      if (line === '') continue;
      const message = JSON.parse(line) as EngineMessage;
      if (message.error !== undefined) throw new Error(message.error);
      onMessage(message);
    }
    if (rest.length > MESSAGE_BYTES_MAX) throw new Error('the Docker Engine says things without end');
  }
}
