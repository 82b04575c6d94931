import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { AgentProcess } from './agent-process.ts';

const ANSWER_MS = 30_000;

/** One request to a peer's API over its Unix socket, where nobody needs a token. Rejects for any status but 2xx. */
export async function askApi(
  agent: Pick<AgentProcess, 'dir' | 'name'>,
  method: string,
  path: string,
  body?: unknown,
): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const call = request(
    {
      socketPath: join(agent.dir, 'kith.sock'),
      method,
      path,
      agent: false,
      timeout: ANSWER_MS,
      headers: { accept: 'application/vnd.heroku+json; version=3', 'content-type': 'application/json' },
    },
    (response) => {
      text(response).then((answer) => {
        const status = response.statusCode ?? 0;
        if (status >= 200 && status < 300) resolve(answer === '' ? null : JSON.parse(answer));
        else reject(new Error(`${agent.name} answered ${method} ${path} with ${status}: ${answer}`));
      }, reject);
    },
  );
  call.on('timeout', () => call.destroy(new Error(`${agent.name} did not answer ${method} ${path}`)));
  call.on('error', reject);
  call.end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}
