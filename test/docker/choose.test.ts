import { randomUUID } from 'node:crypto';
import { mkdir, symlink } from 'node:fs/promises';
import { pino, type Logger } from 'pino';
import { afterEach, expect, test, vi } from 'vitest';
import { openRuntime, type RuntimeOptions } from '../../agent/runtimes/choose.ts';
import { DEFAULT_SIZE } from '../../src/dyno-sizes.ts';
import type { AppId, DynoId } from '../../src/ids.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { makeSlug } from '../runtimes/slug.ts';

const ENGINE_SOCKET = (process.env['DOCKER_HOST'] || 'unix:///var/run/docker.sock').replace('unix://', '');

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Keeps what is said. */
function listen(): { log: Logger; said: () => string } {
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
  return { log, said: () => lines.join('') };
}

/** The driver that `auto` takes, which is ended at once. */
async function kindOf(options: RuntimeOptions): Promise<string> {
  await mkdir(options.dir, { recursive: true });
  const runtime = await openRuntime('auto', options);
  await runtime.shutdown();
  return runtime.kind;
}

test('auto takes Docker where an Engine has the stack, and processes where it has not, or none answers', async () => {
  await using temp = await tempDir('kith-choose-');
  const { log, said } = listen();
  expect(await kindOf({ dir: `${temp.path}/docker`, log })).toBe('docker');
  expect(await kindOf({ dir: `${temp.path}/no-stack`, log, stackImage: 'kith/none:such' })).toBe('process');
  expect(said()).toContain('no stack image \\"kith/none:such\\"');
  vi.stubEnv('DOCKER_HOST', `unix://${temp.path}/no.sock`);
  expect(await kindOf({ dir: `${temp.path}/no-engine`, log })).toBe('process');
  expect(said()).toContain('nothing answers there');
  expect(said()).not.toContain('waiting for the Docker Engine');
});

test('auto waits for an Engine that is away when it ran the dynos of this data folder before', async () => {
  await using temp = await tempDir('kith-choose-');
  const { log, said } = listen();
  const dir = `${temp.path}/data`;
  expect(await kindOf({ dir, log })).toBe('docker');
  vi.stubEnv('DOCKER_HOST', `unix://${temp.path}/engine.sock`);
  const kind = kindOf({ dir, log });
  await eventually(() => said().includes('waiting for the Docker Engine'));
  await symlink(ENGINE_SOCKET, `${temp.path}/engine.sock`);
  expect(await kind).toBe('docker');
  expect(said()).not.toContain('may still run');
});

test('auto takes processes when that Engine stays away, and warns of containers that may still run; once', async () => {
  await using temp = await tempDir('kith-choose-');
  const first = listen();
  const dir = `${temp.path}/data`;
  expect(await kindOf({ dir, log: first.log })).toBe('docker');
  vi.stubEnv('DOCKER_HOST', `unix://${temp.path}/engine.sock`);
  expect(await kindOf({ dir, log: first.log, engineWaitMs: 400 })).toBe('process');
  expect(first.said()).toContain('containers that ran dynos of this peer before may still run');
  const second = listen();
  expect(await kindOf({ dir, log: second.log })).toBe('process');
  expect(second.said()).not.toContain('Docker Engine, which');
});

test('auto stays with processes while some of a former agent run, and takes Docker when they have ended', async () => {
  await using temp = await tempDir('kith-choose-');
  const { log, said } = listen();
  const dir = `${temp.path}/data`;
  const former = await openRuntime('process', { dir, log });
  await former.start({
    dyno: randomUUID() as DynoId,
    app: randomUUID() as AppId,
    name: 'worker.1',
    command: 'sleep 1000',
    slug: await makeSlug(temp.path, { file: 'x' }),
    env: {},
    web: false,
    size: DEFAULT_SIZE,
    volumes: [],
    attach: null,
    labels: {},
  });
  await former[Symbol.asyncDispose]();
  expect(await kindOf({ dir, log })).toBe('process');
  expect(said()).toContain('dynos of a former agent run as processes');
  expect(await kindOf({ dir, log })).toBe('docker');
});

test('docker asked for by name and absent is an error that says what to do', async () => {
  await using temp = await tempDir('kith-choose-');
  const { log } = listen();
  vi.stubEnv('DOCKER_HOST', `unix://${temp.path}/no.sock`);
  await expect(openRuntime('docker', { dir: temp.path, log })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('no.sock'),
    hint: expect.stringContaining('--runtime process'),
  });
  vi.stubEnv('DOCKER_HOST', 'tcp://192.0.2.1:2375');
  await expect(openRuntime('docker', { dir: temp.path, log })).rejects.toMatchObject({ code: 'unavailable' });
});
