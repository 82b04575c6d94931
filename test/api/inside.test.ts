import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { expect, test } from 'vitest';
import type { DynoFact, OneOffFact } from '../../src/facts.ts';
import type { AppId, DynoId, ProcessType, ReleaseId } from '../../src/ids.ts';
import { slotKey } from '../../src/ids.ts';
import { PlatformError } from '../../src/errors.ts';
import { AttachSessions } from '../../agent/api/attach-sessions.ts';
import { FRAME, FrameDecoder } from '../../src/platform/attach-frames.ts';
import { eventually } from '../helpers/eventually.ts';
import { at, startApi, type Harness } from './harness.ts';

/** Nobody takes their rights away here. */
const NEVER = new AbortController().signal;

function webDyno(api: Harness, app: AppId, fields: Partial<DynoFact> = {}): DynoFact {
  const type = 'web' as ProcessType;
  return {
    slot: slotKey(app, type, 1),
    dyno: 'dyno-1' as DynoId,
    app,
    type,
    index: 1,
    release: api.host.view().apps.get(app)?.current as ReleaseId,
    generation: 'g',
    claimedAt: { ms: 0, n: 0 },
    phase: 'up',
    since: 1_000,
    size: 'Basic',
    command: 'node web.js',
    crashes: 0,
    ...fields,
  } as DynoFact;
}

test('a command inside a dyno gets an attach URL, as the official client asks for it', async () => {
  await using api = await startApi();
  const app = await api.deployedApp('blog');
  api.host.announce({ dynos: [webDyno(api, app)] });
  const { status, body } = await api.call('POST', '/apps/blog/dynos/web.1', {
    command: 'ls ; echo done',
    env: { TERM: 'xterm-256color', COLUMNS: 100, LINES: '30' },
  });
  expect(status).toBe(201);
  expect(body).toMatchObject({ name: 'web.1', command: 'ls ; echo done', state: 'up' });
  expect(at(body, 'attach_url')).toMatch(/^rendezvous:\/\/127\.0\.0\.1:\d+\/0[\w-]{40,}$/);
  expect(api.host.execs).toMatchObject([
    {
      place: { app, dyno: 'dyno-1', name: 'web.1', peer: api.host.self },
      spec: {
        command: 'ls ; echo done',
        env: { TERM: 'xterm-256color', COLUMNS: '100', LINES: '30' },
        tty: { columns: 100, rows: 30, term: 'xterm-256color' },
      },
    },
  ]);
});

test('without a terminal there is none', async () => {
  await using api = await startApi();
  const app = await api.deployedApp('blog');
  api.host.announce({ dynos: [webDyno(api, app)] });
  await api.call('POST', '/apps/blog/dynos/web.1', { command: 'ls', force_no_tty: true });
  expect(api.host.execs[0]?.spec.tty).toBeNull();
});

test('while one dyno replaces another, the one that is up is meant; an id means just one', async () => {
  await using api = await startApi();
  const app = await api.deployedApp('blog');
  const next = webDyno(api, app, { dyno: 'dyno-2' as DynoId, phase: 'starting', since: 2_000 });
  api.host.announce({ dynos: [webDyno(api, app), next] });
  await api.call('POST', '/apps/blog/dynos/web.1', { command: 'ls' });
  await api.call('POST', '/apps/blog/dynos/dyno-2', { command: 'ls' });
  expect(api.host.execs.map(({ place }) => place.dyno)).toEqual(['dyno-1', 'dyno-2']);
});

test('a dyno that is not there, or has crashed, is told as that', async () => {
  await using api = await startApi();
  const app = await api.deployedApp('blog');
  expect((await api.call('POST', '/apps/blog/dynos/web.1', { command: 'ls' })).body).toMatchObject({
    id: 'not_found',
    resource: 'dyno',
  });
  api.host.announce({ dynos: [webDyno(api, app, { phase: 'crashed' })] });
  expect((await api.call('POST', '/apps/blog/dynos/web.1', { command: 'ls' })).body).toMatchObject({
    id: 'conflict',
    message: 'Cannot look into "web.1" of "blog": it has crashed',
  });
  expect(await api.call('POST', '/apps/blog/dynos/web.1', { command: '' })).toMatchObject({ status: 422 });
});

test('a file is copied out of a one-off as a tar archive, byte by byte', async () => {
  await using api = await startApi();
  const app = await api.deployedApp('blog');
  const release = api.host.view().apps.get(app)?.current as ReleaseId;
  const fields = { app, release, command: 'bash', size: 'Basic', since: 1, phase: 'up' } as const;
  const oneOffs: OneOffFact[] = [{ ...fields, dyno: 'dyno-run' as DynoId, name: 'run.7' }];
  api.host.announce({ oneOffs });
  api.host.archive = () => Readable.from([Buffer.from('all '), Buffer.from('of it')]);
  const copied = await api.call('GET', '/kith/apps/blog/dynos/run.7/copy?path=log%2Fa%20b%26c');
  expect(copied).toMatchObject({ status: 200, body: 'all of it' });
  expect(copied.headers.get('content-type')).toBe('application/x-tar');
  expect(api.host.copies).toMatchObject([{ place: { dyno: 'dyno-run' }, path: 'log/a b&c' }]);
  expect(await api.call('GET', '/kith/apps/blog/dynos/run.7/copy')).toMatchObject({ status: 422 });
});

test('a path that is not there is a 404; an archive that breaks off is a broken response', async () => {
  await using api = await startApi();
  const app = await api.deployedApp('blog');
  api.host.announce({ dynos: [webDyno(api, app)] });
  api.host.archive = () => {
    throw new PlatformError('not_found', 'There is no "x" in "web.1"', { resource: 'file' });
  };
  const path = '/kith/apps/blog/dynos/web.1/copy?path=x';
  expect(await api.call('GET', path)).toMatchObject({ status: 404, body: { resource: 'file' } });
  api.host.archive = () => {
    const archive = new PassThrough();
    archive.write('half of it');
    setImmediate(() => archive.destroy(new Error('the dyno was stopped')));
    return archive;
  };
  await expect(api.call('GET', path)).rejects.toThrow();
  expect((await api.call('GET', '/apps/blog')).status).toBe(200);
});

test('a client that leaves in the middle of a copy ends it', async () => {
  await using api = await startApi();
  const app = await api.deployedApp('blog');
  api.host.announce({ dynos: [webDyno(api, app)] });
  const archive = new PassThrough();
  archive.write('half of it');
  api.host.archive = () => archive;
  const abort = new AbortController();
  const response = await fetch(`${api.url}/kith/apps/blog/dynos/web.1/copy?path=x`, {
    headers: { authorization: `Bearer ${api.token}` },
    signal: abort.signal,
  });
  expect(response.status).toBe(200);
  abort.abort();
  await eventually(() => archive.destroyed);
});

test('a process whose client does not come is told so before it is left', async () => {
  using sessions = new AttachSessions(5);
  const types: number[] = [];
  const decoder = new FrameDecoder();
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => types.push(...decoder.push(chunk).map(({ type }) => type)));
  sessions.open({ stream, hasTty: true, endsInput: false, ended: NEVER });
  await once(stream, 'close');
  expect(types).toEqual([FRAME.absent]);
});

test('type and time to live of a one-off are passed on, and bounded', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  await api.call('POST', '/apps/blog/dynos', { command: 'ls', type: 'worker', time_to_live: 90 });
  expect(api.host.oneOffs[0]?.request).toMatchObject({ type: 'worker', ttlMs: 90_000 });
  for (const wrong of [{ time_to_live: 86_401 }, { time_to_live: 0 }, { type: 'a b' }, { size: 'Huge' }]) {
    expect((await api.call('POST', '/apps/blog/dynos', { command: 'ls', ...wrong })).status).toBe(422);
  }
});
