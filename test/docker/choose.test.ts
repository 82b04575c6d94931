import { mkdir } from 'node:fs/promises';
import { pino } from 'pino';
import { afterEach, expect, test, vi } from 'vitest';
import { openRuntime } from '../../agent/runtimes/choose.ts';
import { tempDir } from '../helpers/temp-dir.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('auto takes Docker where an Engine has the stack, and processes where it has not, or none answers', async () => {
  await using temp = await tempDir('kith-choose-');
  const said: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => said.push(line) });
  const kindOf = async (name: string, stackImage?: string): Promise<string> => {
    const dir = `${temp.path}/${name}`;
    await mkdir(dir);
    const options = { dir, log, ...(stackImage === undefined ? {} : { stackImage }) };
    const runtime = await openRuntime('auto', options);
    const { kind } = runtime;
    await runtime.shutdown();
    return kind;
  };
  expect(await kindOf('docker')).toBe('docker');
  expect(await kindOf('no-stack', 'kith/none:such')).toBe('process');
  expect(said.join('')).toContain('no stack image \\"kith/none:such\\"');
  vi.stubEnv('DOCKER_HOST', `unix://${temp.path}/no.sock`);
  expect(await kindOf('no-engine')).toBe('process');
  expect(said.join('')).toContain('nothing answers there');
});

test('docker asked for by name and absent is an error that says what to do', async () => {
  await using temp = await tempDir('kith-choose-');
  const log = pino({ level: 'silent' });
  vi.stubEnv('DOCKER_HOST', `unix://${temp.path}/no.sock`);
  await expect(openRuntime('docker', { dir: temp.path, log })).rejects.toMatchObject({
    code: 'unavailable',
    hint: expect.stringContaining('--runtime process'),
  });
  vi.stubEnv('DOCKER_HOST', 'tcp://192.0.2.1:2375');
  await expect(openRuntime('docker', { dir: temp.path, log })).rejects.toMatchObject({ code: 'unavailable' });
});
