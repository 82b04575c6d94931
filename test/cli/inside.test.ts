import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodeFrame, FRAME } from '../../src/platform/attach-frames.ts';
import { tarOf, type RawEntry } from '../builds/tar-of.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { dynoOf } from './resources.ts';
import { runKith } from './run-kith.ts';
import { StubApi } from './stub-api.ts';

// The modes of files that are asked for below are those under the usual one.
process.umask(0o022);

const envOf = (stub: StubApi) => ({ KITH_HOST: stub.host, KITH_TOKEN: 'secret', KITH_APP: 'blog' });

/** A stub whose attached processes say something and end. */
async function startStub(words: string, status: number): Promise<StubApi> {
  const stub = await StubApi.start();
  stub.onUpgrade((_message, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: kith-attach\r\n\r\n');
    socket.write(encodeFrame(FRAME.data, Buffer.from(words)));
    socket.write(encodeFrame(FRAME.exit, { status, signal: null }));
  });
  return stub;
}

test('ps:exec runs a command in web.1, or in the dyno that is named, and ends with its status', async () => {
  await using stub = await startStub('hello', 3);
  stub.on('POST /apps/blog/dynos/web.1', dynoOf({ attach_url: 'rendezvous://elsewhere:1/0SECRET' }));
  stub.on(
    'POST /apps/blog/dynos/worker.2',
    dynoOf({ name: 'worker.2', attach_url: 'rendezvous://elsewhere:1/0SECRET' }),
  );
  expect(await runKith(['ps:exec', 'ls', '-l', 'a b'], { env: envOf(stub) })).toEqual({
    status: 3,
    stdout: 'hello',
    stderr: 'Running ls -l "a b" in web.1 on ⬢ blog... up, web.1\n',
  });
  expect(stub.sent('POST /apps/blog/dynos/web.1').body).toEqual({
    command: 'ls -l "a b"',
    env: {},
    force_no_tty: true,
  });
  await runKith(['ps:exec', '-d', 'worker.2', '-e', 'A=1;B=x=y'], { env: envOf(stub) });
  expect(stub.sent('POST /apps/blog/dynos/worker.2').body).toEqual({
    command: 'bash',
    env: { A: '1', B: 'x=y' },
    force_no_tty: true,
  });
});

/** Runs `ps:copy` in a folder of its own against a dyno that sends these bytes. */
async function copy(archive: Buffer, words: readonly string[] = []) {
  const dir = await tempDir('kith-copy-');
  await using stub = await StubApi.start();
  stub.on('GET /kith/apps/blog/dynos/web.1/copy?path=tmp%2Fthing', (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-tar' }).end(archive);
  });
  const cwd = join(dir.path, 'here');
  await mkdir(cwd);
  await writeFile(join(dir.path, 'outside'), 'untouched');
  const ran = await runKith(['ps:copy', 'tmp/thing', ...words], { env: envOf(stub), cwd });
  return { ...ran, cwd, dir, [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() };
}

test('ps:copy brings a file, with its bytes and without its set-user-id bit', async () => {
  await using ran = await copy(tarOf([{ path: 'thing', body: 'of the dyno', mode: 0o4755 }]));
  expect(ran).toMatchObject({
    status: 0,
    stdout: '',
    stderr: 'Copying tmp/thing from web.1 on ⬢ blog... done, 1 file, 11 B\n',
  });
  expect(readFileSync(join(ran.cwd, 'thing'), 'utf8')).toBe('of the dyno');
  expect((await stat(join(ran.cwd, 'thing'))).mode & 0o7777).toBe(0o755);
});

test('ps:copy brings a folder under another name, links inside it as they are', async () => {
  const entries: RawEntry[] = [
    { path: 'thing/', type: '5' },
    { path: 'thing/bin/tool', type: '2', link: '../lib/tool.js' },
    { path: 'thing/lib/tool.js', body: 'tool' },
    { path: 'thing/lib/same.js', type: '1', link: 'thing/lib/tool.js' },
    { path: 'thing/empty/', type: '5' },
  ];
  await using ran = await copy(tarOf(entries), ['--output', 'copy']);
  expect(ran.stderr).toContain('done, 2 files, 4 B');
  expect(await readlink(join(ran.cwd, 'copy/bin/tool'))).toBe('../lib/tool.js');
  expect(readFileSync(join(ran.cwd, 'copy/bin/tool'), 'utf8')).toBe('tool');
  expect(readFileSync(join(ran.cwd, 'copy/lib/same.js'), 'utf8')).toBe('tool');
  expect(await readdir(ran.cwd)).toEqual(['copy']);
  expect(await readdir(join(ran.cwd, 'copy'))).toEqual(['bin', 'empty', 'lib']);
});

test('links that lead out, devices and pipes are left out, and said so', async () => {
  const entries: RawEntry[] = [
    { path: 'thing/note', body: 'kept' },
    { path: 'thing/absolute', type: '2', link: '/etc/passwd' },
    { path: 'thing/up', type: '2', link: '../outside' },
    { path: 'thing/here', type: '2', link: '.' },
    { path: 'thing/sly', type: '2', link: 'here/../../outside' },
    { path: 'thing/pipe', type: '6' },
  ];
  await using ran = await copy(tarOf(entries));
  expect(ran.status).toBe(0);
  expect((await readdir(join(ran.cwd, 'thing'))).toSorted()).toEqual(['here', 'note']);
  for (const name of ['absolute', 'up', 'sly', 'pipe']) expect(ran.stderr).toContain(`"thing/${name}"`);
});

test.each<[string, readonly RawEntry[]]>([
  ['a name that leads up', [{ path: '../outside', body: 'bad' }]],
  ['a name that leads up further in', [{ path: 'thing/../../outside', body: 'bad' }]],
  ['an absolute name', [{ path: '/thing', body: 'bad' }]],
  ['a hard link to the outside', [{ path: 'thing/a', type: '1', link: '../outside' }]],
  ['a hard link to an absolute name', [{ path: 'thing/a', type: '1', link: '/etc/passwd' }]],
  [
    'a file below a link',
    [
      { path: 'thing/link', type: '2', link: 'real' },
      { path: 'thing/link/file', body: 'bad' },
    ],
  ],
  [
    'one name twice',
    [
      { path: 'thing', body: 'one' },
      { path: 'thing', body: 'two' },
    ],
  ],
  [
    'two things',
    [
      { path: 'thing', body: 'one' },
      { path: 'other', body: 'two' },
    ],
  ],
  ['nothing but a link', [{ path: 'thing', type: '2', link: '/etc' }]],
])('an archive with %s leaves nothing behind', async (_what, entries) => {
  await using ran = await copy(tarOf(entries));
  expect(ran.status).toBe(1);
  expect(ran.stderr).toContain('Nothing was kept of it');
  expect(await readdir(ran.cwd)).toEqual([]);
  expect((await readdir(ran.dir.path)).toSorted()).toEqual(['here', 'outside']);
  expect(readFileSync(join(ran.dir.path, 'outside'), 'utf8')).toBe('untouched');
});

test('an archive that is cut off, or is none, leaves nothing behind', async () => {
  const whole = tarOf([{ path: 'thing', body: 'x'.repeat(5_000) }]);
  for (const archive of [
    whole.subarray(0, 2_000),
    Buffer.alloc(0),
    Buffer.from('no tar at all'.repeat(100)),
  ]) {
    await using ran = await copy(archive);
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain('Cannot use what the dyno sent: ');
    expect(await readdir(ran.cwd)).toEqual([]);
  }
});

test('what is here already is not overwritten, nor is the dyno asked', async () => {
  const dir = await tempDir('kith-copy-');
  await using stub = await StubApi.start();
  await writeFile(join(dir.path, 'thing'), 'mine');
  const ran = await runKith(['ps:copy', 'tmp/thing'], { env: envOf(stub), cwd: dir.path });
  expect(ran.status).toBe(1);
  expect(ran.stderr).toContain('there is something of this name already');
  expect(stub.asked).toEqual([]);
  expect(readFileSync(join(dir.path, 'thing'), 'utf8')).toBe('mine');
  await dir[Symbol.asyncDispose]();
});

test('a folder that is not there, and a path without a name, are told as what they are', async () => {
  await using ran = await copy(tarOf([{ path: 'thing', body: 'x' }]), ['--output', 'no/such/folder']);
  expect(ran.status).toBe(1);
  expect(ran.stderr).toContain('Cannot copy to');
  expect(existsSync(join(ran.cwd, 'no'))).toBe(false);
  const unnamed = await runKith(['ps:copy', '..'], { env: { KITH_HOST: '127.0.0.1:1', KITH_APP: 'blog' } });
  expect(unnamed.stderr).toContain('".." does not say what the copy is called');
});

test('run:detached --tail shows the log of the dyno until it ends, and ends with its status', async () => {
  await using stub = await StubApi.start();
  stub.on('POST /apps/blog/dynos', dynoOf({ name: 'run.7', type: 'run' }));
  stub.on('POST /apps/blog/log-sessions', { logplex_url: `http://${stub.host}/log-sessions/1` });
  const lines = [
    '2026-01-02T03:04:05.000000+00:00 heroku[run.7]: State changed from starting to up',
    '2026-01-02T03:04:05.000000+00:00 app[run.7]: heroku[run.7]: State changed from up to complete',
    '2026-01-02T03:04:05.000000+00:00 heroku[run.7]: Process exited with status 5',
    '2026-01-02T03:04:05.000000+00:00 heroku[run.7]: State changed from up to crashed',
  ];
  stub.on('GET /log-sessions/1', (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const line of lines) response.write(`data: ${line}\n\n`);
  });
  const words = [
    'run:detached',
    '--tail',
    '-s',
    'standard-2x',
    '--type',
    'job',
    '--time-to-live',
    '60',
    'make',
  ];
  const ran = await runKith(words, { env: envOf(stub) });
  expect(ran.status).toBe(5);
  expect(ran.stdout).toBe(`${lines.join('\n')}\n`);
  expect(stub.sent('POST /apps/blog/dynos').body).toEqual({
    attach: false,
    command: 'make',
    env: {},
    size: 'standard-2x',
    type: 'job',
    time_to_live: 60,
  });
  expect(stub.sent('POST /apps/blog/log-sessions').body).toMatchObject({ tail: true, dyno: 'run.7' });
});

test('several variables come in one --env, and a piece that is none is refused', async () => {
  await using stub = await startStub('', 0);
  stub.on('POST /apps/blog/dynos', dynoOf({ name: 'run.7', attach_url: 'rendezvous://elsewhere:1/0S' }));
  await runKith(['run', '--env', 'A=1;B=2=3', '-e', 'C=', 'true'], { env: envOf(stub) });
  expect(stub.sent('POST /apps/blog/dynos').body).toMatchObject({ env: { A: '1', B: '2=3', C: '' } });
  const wrong = await runKith(['run', '--env', 'A=1;two', 'true'], { env: envOf(stub) });
  expect(wrong.status).toBe(2);
  expect(wrong.stderr).toContain('"two" is no KEY=value');
  expect(wrong.stderr).toContain('values cannot hold ";"');
});
