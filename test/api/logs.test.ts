import { expect, test } from 'vitest';
import type { PeerId } from '../../src/ids.ts';
import { eventually } from '../helpers/eventually.ts';
import { at, startApi } from './harness.ts';
import type { Harness } from './harness.ts';

async function logUrl(api: Harness, body: object): Promise<string> {
  const made = await api.call('POST', '/apps/blog/log-sessions', body);
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({ id: expect.any(String), created_at: expect.any(String) });
  return at(made.body, 'logplex_url');
}

const dataOf = (events: string): readonly string[] =>
  [...events.matchAll(/^data: (.*)$/gm)].map((match) => match[1] ?? '');

test('a backlog is a stream of events that ends, read without a token', async () => {
  await using api = await startApi();
  const app = await api.deployedApp('blog');
  api.logs.append({ app, source: 'app', process: 'web.1', text: 'one' });
  api.logs.append({ app, source: 'heroku', process: 'router', text: 'two' });
  api.logs.append({ app, source: 'app', process: 'web.2', text: 'three' });
  const response = await fetch(await logUrl(api, { lines: 100, tail: false }));
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const events = await response.text();
  expect(events).toMatch(/^retry: 10\n\n/);
  expect(dataOf(events)).toEqual([
    '1970-01-01T00:00:01.000000+00:00 app[web.1]: one',
    '1970-01-01T00:00:02.000000+00:00 heroku[router]: two',
    '1970-01-01T00:00:03.000000+00:00 app[web.2]: three',
  ]);
  const filtered = await fetch(await logUrl(api, { dyno: 'web', source: 'app', lines: 1 }));
  expect(dataOf(await filtered.text())).toEqual(['1970-01-01T00:00:03.000000+00:00 app[web.2]: three']);
});

test('peers that did not answer are named in a backlog', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  api.logs.missing.push('12D3KooWsilent' as PeerId);
  const events = await (await fetch(await logUrl(api, {}))).text();
  expect(events).toContain('heroku[logplex]: Lines of the peer "12D3KooWsilent" are missing');
});

test('a tail follows, tells of gaps, ends cleanly with the server, and goes on after its last event', async () => {
  const api = await startApi();
  const app = await api.deployedApp('blog');
  const url = await logUrl(api, { tail: true, lines: 10 });
  const say = (text: string) => api.logs.append({ app, source: 'app', process: 'web.1', text });
  say('before');

  const leaving = new AbortController();
  const first = await Tail.open(url, leaving.signal);
  await first.until('before');
  say('after');
  api.logs.emit({ gap: { peer: api.host.self, dropped: 3 } });
  await first.until('This tail session dropped 3 messages since 1970-01-01T00:00:02.000Z.');
  const [lastId] = [...first.text.matchAll(/^id: (.+)$/gm)].at(-1)?.slice(1) ?? [];
  leaving.abort();

  say('meanwhile');
  const second = await Tail.open(url, new AbortController().signal, lastId);
  await second.until('meanwhile');
  expect(second.text).not.toContain('after');

  await api[Symbol.asyncDispose]();
  await second.ended;
});

test('an unknown session is over', async () => {
  await using api = await startApi();
  const response = await fetch(`${api.url}/log-sessions/unknown`);
  expect(response.status).toBe(404);
  await api.deployedApp('blog');
  expect((await api.call('POST', '/apps/blog/log-sessions', { source: 'moon' })).status).toBe(422);
});

/** A reader of an event stream. */
class Tail {
  text = '';
  readonly ended: Promise<void>;

  private constructor(response: Response) {
    this.ended = this.#read(response);
    this.ended.catch(() => {});
  }

  static async open(url: string, signal: AbortSignal, lastEventId?: string): Promise<Tail> {
    const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    return new Tail(await fetch(url, { headers, signal }));
  }

  async until(text: string): Promise<void> {
    await eventually(() => this.text.includes(text));
  }

  async #read(response: Response): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) this.text += decoder.decode(chunk, { stream: true });
  }
}
