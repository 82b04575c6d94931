import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { runCli } from '../../cli/lib/line/run-cli.ts';
import { eventually } from '../helpers/eventually.ts';
import { fakeWorld, runKith } from './run-kith.ts';
import { StubApi, type Recorded } from './stub-api.ts';

const SESSION = 'POST /apps/blog/log-sessions';

function lineOf(text: string): string {
  return `2026-01-02T03:04:05.000000+00:00 app[web.1]: ${text}`;
}

function event(id: number, text: string): string {
  return `id: ${id}\ndata: ${lineOf(text)}\n\n`;
}

function openStream(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { 'content-type': 'text/event-stream' });
}

function envOf(stub: StubApi): Record<string, string> {
  return { KITH_HOST: stub.host, KITH_APP: 'blog' };
}

test('a log is asked for as the flags say, read at the peer that is spoken to, and shown as it is', async () => {
  await using stub = await StubApi.start();
  stub.on(SESSION, { logplex_url: 'http://elsewhere:1/log-sessions/one?x=1' });
  stub.on('GET /log-sessions/one?x=1', (_request: Recorded, response: ServerResponse) => {
    openStream(response).end(`retry: 10\n\n${event(1, 'one')}: ping\n\n${event(2, 'two é')}`);
  });
  const ran = await runKith(['logs', '-n', '5', '-s', 'app', '-d', 'web.1'], { env: envOf(stub) });
  expect(ran).toEqual({ status: 0, stdout: `${lineOf('one')}\n${lineOf('two é')}\n`, stderr: '' });
  expect(stub.sent(SESSION).body).toEqual({ lines: 5, tail: false, source: 'app', dyno: 'web.1' });
});

test('a tail goes on after the last line it got when its connection ends or breaks', async () => {
  await using stub = await StubApi.start();
  stub.on(SESSION, { logplex_url: '/log-sessions/one' });
  const lastIds: unknown[] = [];
  stub.on('GET /log-sessions/one', ({ headers }: Recorded, response: ServerResponse) => {
    lastIds.push(headers['last-event-id']);
    const turn = lastIds.length;
    openStream(response).write(`retry: 5\n\n${event(turn, `line ${turn}`)}`);
    if (turn === 1) response.end();
    if (turn === 2) setImmediate(() => response.destroy());
  });
  const world = fakeWorld({ env: envOf(stub) });
  const running = runCli(['logs', '--tail'], world);
  await eventually(() => world.text('stdout').includes('line 3'));
  expect(world.text('stdout')).toBe([1, 2, 3].map((turn) => `${lineOf(`line ${turn}`)}\n`).join(''));
  expect(lastIds).toEqual([undefined, '1', '2']);
  expect(world.text('stderr')).toContain('Reconnecting…');
  stub.on('GET /log-sessions/one', (_request: Recorded, response: ServerResponse) =>
    response.writeHead(401).end(),
  );
  stub.disconnect();
  expect(await running).toBe(2);
});

test('a tail asks for a new session where a restarted peer has forgotten the old one', async () => {
  await using stub = await StubApi.start();
  let sessions = 0;
  stub.on(SESSION, (_request: Recorded, response: ServerResponse) => {
    sessions += 1;
    response.end(JSON.stringify({ logplex_url: `/log-sessions/${sessions}` }));
  });
  stub.on('GET /log-sessions/1', (_request: Recorded, response: ServerResponse) => {
    stub.refuse('GET /log-sessions/1', 404, { id: 'not_found', message: 'this session is over' });
    openStream(response).end(`retry: 5\n\n${event(1, 'before')}`);
  });
  stub.on('GET /log-sessions/2', (_request: Recorded, response: ServerResponse) => {
    openStream(response).write(event(2, 'after'));
  });
  const world = fakeWorld({ env: envOf(stub) });
  const running = runCli(['logs', '-t'], world);
  await eventually(() => world.text('stdout').includes('after'));
  expect(stub.sent('GET /log-sessions/2').headers['last-event-id']).toBe('1');
  stub.refuse('GET /log-sessions/2', 401, {});
  stub.disconnect();
  expect(await running).toBe(2);
});

test('without --tail a broken connection is an error', async () => {
  await using stub = await StubApi.start();
  stub.on(SESSION, { logplex_url: '/log-sessions/one' });
  stub.on('GET /log-sessions/one', (_request: Recorded, response: ServerResponse) => {
    openStream(response).write(event(1, 'one'));
    setImmediate(() => response.destroy());
  });
  const ran = await runKith(['logs'], { env: envOf(stub) });
  expect(ran.status).toBe(1);
  expect(ran.stdout).toContain('one');
});

test('a number of lines that is none is refused before anything is asked', async () => {
  await using stub = await StubApi.start();
  expect(await runKith(['logs', '-n', 'many'], { env: envOf(stub) })).toMatchObject({ status: 2 });
  expect(stub.requests).toEqual([]);
});
