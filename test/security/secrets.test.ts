import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hostProcesses } from '../../scripts/lib/host-processes.ts';
import { eventually } from '../helpers/eventually.ts';
import { filesWith } from '../helpers/files-with.ts';
import { certificateFor } from '../helpers/certificates.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { deploy, writeApp } from '../cluster/apps.ts';
import { inviteOf, useCluster, WAIT_MS } from '../cluster/cluster.ts';

const cluster = useCluster(2);
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');
const LONG = { timeout: 400_000 };
const VALUE = 'a-very-secret-value-0123456789';

/** What anybody on the host may read of a process. */
function commandLines(dir: string): string {
  return hostProcesses(dir)
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        // It has ended.
        return '';
      }
    })
    .join('\n');
}

/** The dyno's side: which of these paths it can read, which sockets take it, whose processes it can see or signal. */
const ATTACK = `import os, socket, sys
for path in sys.argv[1:]:
    try:
        if path.endswith('.sock'):
            socket.socket(socket.AF_UNIX).connect(path)
        else:
            open(path).read()
        print('REACHED', path)
    except OSError:
        pass
for pid in filter(str.isdigit, os.listdir('/proc')):
    try:
        if os.stat('/proc/' + pid).st_uid == os.getuid():
            continue
        open('/proc/' + pid + '/environ').read(1)
        print('REACHED environ of', pid)
    except OSError:
        pass
    try:
        os.kill(int(pid), 0)
        print('REACHED process', pid)
    except OSError:
        pass
print('tried')
`;

test('secrets are in the key files alone: in no log, no other file, no command line', LONG, async () => {
  const source = writeApp(join(cluster.dir, 'app'));
  writeFileSync(join(source, 'attack.py'), ATTACK);
  await deploy(ash, 'vault', source);
  await ash.kith(['config:set', `SECRET=${VALUE}`, '-a', 'vault']);
  const read = async (): Promise<string> =>
    (await birch.kith(['config:get', 'SECRET', '-a', 'vault'])).trim();
  await eventually(async () => (await read()) === VALUE, { withinMs: WAIT_MS });
  await ash.kith(['run', '-a', 'vault', 'test -n "$SECRET"']);
  await using outside = await tempDir('kith-secrets-');
  const { cert, key } = await certificateFor('www.example.com');
  const files = ['a.crt', 'a.key'].map((name) => join(outside.path, name));
  for (const [i, text] of [cert, key].entries()) writeFileSync(files[i] ?? '', text);
  await ash.kith(['certs:add', ...files, '-a', 'vault']);
  await eventually(async () => (await birch.kith(['certs', '-a', 'vault'])).includes('www.example.com'), {
    withinMs: WAIT_MS,
  });
  await ash.kith(['acme:set', '--agree', '--directory', 'https://127.0.0.1:1/dir']);
  await ash.tryKith(['apps', '--host', ash.api], { env: { KITH_TOKEN: 'wrong-token-of-somebody' } });
  const invite = await inviteOf(ash);
  const dataKey = Object.values(
    JSON.parse(readFileSync(join(ash.dir, 'keys.json'), 'utf8')) as Record<string, string>,
  )[0];
  const seed = readFileSync(join(ash.dir, 'key'), 'utf8').trim();
  const found = (text: string): readonly string[] => {
    expect(text.length).toBeGreaterThan(10);
    expect(commandLines(cluster.dir), 'command lines').not.toContain(text);
    return filesWith(cluster.dir, text).toSorted();
  };
  expect(found(VALUE)).toEqual([]);
  expect(found('wrong-token-of-somebody')).toEqual([]);
  expect(found(invite)).toEqual([]);
  expect(found(ash.token)).toEqual(['ash/token']);
  expect(found(dataKey ?? '')).toEqual(['ash/keys.json', 'birch/keys.json']);
  expect(found(seed)).toEqual(['ash/key']);
  expect(found('PRIVATE KEY')).toEqual([]);
  expect(found(key.split('\n')[1] ?? '')).toEqual([]);
  for (const file of ['token', 'key', 'keys.json', 'kith.sock', 'keeper/keeper.sock', 'router/router.sock'])
    expect(statSync(join(ash.dir, file)).mode & 0o077, file).toBe(0);
});

test('a dyno reaches no file, socket or process of the agent or of another dyno', LONG, async () => {
  const paths = [ash, birch].flatMap(({ dir }) =>
    ['token', 'key', 'keys.json', 'kith.sock', 'keeper/keeper.sock', 'router/router.sock'].map((file) =>
      join(dir, file),
    ),
  );
  const said = await ash.kith(['run', '-a', 'vault', `python3 attack.py ${paths.join(' ')} /etc/shadow`]);
  expect(said.trim().split('\n')).toEqual(['tried']);
});

test('a build reaches no file, socket or process of the agent', LONG, async () => {
  const pack = join(cluster.dir, 'pack');
  const bin = join(pack, 'bin');
  execFileSync('mkdir', ['-p', bin]);
  const files = ['token', 'key', 'keys.json', 'kith.sock', 'keeper/keeper.sock'].map((file) =>
    join(ash.dir, file),
  );
  writeFileSync(join(bin, 'detect'), '#!/bin/sh\necho Attack\n');
  writeFileSync(
    join(bin, 'compile'),
    `#!/bin/sh\npython3 "$1/attack.py" ${files.join(' ')} /etc/shadow\nenv\n`,
  );
  for (const name of ['detect', 'compile']) chmodSync(join(bin, name), 0o755);
  await ash.kith(['buildpacks:set', pack, '-a', 'vault']);
  const said = await ash.kith(['builds:create', '--source', join(cluster.dir, 'app'), '-a', 'vault']);
  expect(said).toContain('tried');
  expect(said).not.toContain('REACHED');
  expect(said).not.toContain(VALUE);
  expect(said).not.toContain('KITH_');
});

test('a source that is fetched says nothing of the credentials in its URL', LONG, async () => {
  const server = createServer((_, response) => response.writeHead(500).end()).listen(0, '127.0.0.1');
  const { port } = await eventually(() => server.address() as AddressInfo | null);
  const body = JSON.stringify({ source_blob: { url: `http://me:hidden-password@127.0.0.1:${port}/x.tgz` } });
  const refused = ash.call('/apps/vault/builds', { method: 'POST', body });
  await expect(refused).rejects.toThrow(/answered 422/);
  await expect(refused).rejects.not.toThrow(/hidden-password/);
  server.close();
  expect(filesWith(cluster.dir, 'hidden-password')).toEqual([]);
});

test('data keys that were lost come again from the others', LONG, async () => {
  birch.agent.signalAgent('SIGKILL');
  await birch.agent.exited();
  execFileSync('rm', [join(birch.dir, 'keys.json')]);
  await birch.start();
  const value = async (): Promise<boolean> =>
    (await birch.kith(['config:get', 'SECRET', '-a', 'vault'])).trim() === VALUE;
  await eventually(value, { withinMs: WAIT_MS, everyMs: 200 });
});
