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
