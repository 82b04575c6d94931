import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DynoResource } from '../../src/platform/dyno.ts';
import type { ReleaseResource } from '../../src/platform/release.ts';
import type { VolumeBackupResource } from '../../src/platform/volume-backup.ts';
import type { VolumeResource } from '../../src/platform/volume.ts';
import { eventually } from '../helpers/eventually.ts';
import { deploy, formationMet } from './apps.ts';
import { useCluster, WAIT_MS } from './cluster.ts';
import type { Peer } from './peer.ts';

const TEST_MS = 480_000;
const WITHIN = { withinMs: WAIT_MS };
const APP = 'counter';
const cluster = useCluster(3);
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');
const cedar = cluster.peer('cedar');

/** Each request counts one up, in a file of the volume, and is answered with `VERSION COUNT`. */
const SERVER = `import os, signal
from http.server import BaseHTTPRequestHandler, HTTPServer

FILE = '/app/data/count'

class Count(BaseHTTPRequestHandler):
    def do_GET(self):
        count = int(open(FILE).read()) + 1 if os.path.exists(FILE) else 1
        with open(FILE + '.new', 'w') as new:
            new.write(str(count))
        os.rename(FILE + '.new', FILE)
        body = (open('version').read() + ' ' + str(count)).encode()
        self.send_response(200)
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
HTTPServer(('0.0.0.0', int(os.environ['PORT'])), Count).serve_forever()
`;

function writeCounter(version: string): string {
  const dir = join(cluster.dir, `counter-${version}`);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'Procfile'), 'web: python3 server.py\n');
  writeFileSync(join(dir, 'server.py'), SERVER);
  writeFileSync(join(dir, 'version'), version);
  return dir;
}

/** Asks any peer until a dyno of that version counts. @returns the count */
async function count(peer: Peer, version: string): Promise<number> {
  return eventually(
    async () => {
      const { status, body } = await peer.request(APP);
      const [said, number] = body.split(' ');
      if (status === 200 && said === version) return Number(number);
      throw new Error(`"${APP}" answered ${status}: ${body.slice(0, 100)}`);
    },
    { withinMs: WAIT_MS, everyMs: 200 },
  );
}

/** Where the app's dyno runs, that of the newest release: an older one would count, too, until it has ended. */
async function runsOn(peer: Peer, on: Peer): Promise<void> {
  const [release] = await peer.json<readonly ReleaseResource[]>(['releases', '-a', APP]);
  const isNew = (dyno: DynoResource): boolean => dyno.release.version === release?.version;
  await formationMet(peer, APP, 1, (dynos) => dynos.every((dyno) => dyno.peer.id === on.id && isNew(dyno)));
}

function copiesAt(peer: Peer): readonly string[] {
  return readdirSync(join(peer.dir, 'volumes')).filter((name) => !name.startsWith('.'));
}

test(
  'a counter keeps its number over a deploy, an agent that restarts and one that dies, a move, and a backup',
  { timeout: TEST_MS },
  async () => {
    await deploy(ash, APP, writeCounter('one'));
    await ash.kith(['volumes:create', 'data', '--peer', 'birch', '-a', APP]);
    await cedar.kith(['volumes:mount', 'data', 'web:/app/data', '-a', APP]);
    await runsOn(ash, birch);
    expect(await count(ash, 'one')).toBe(1);

    await deploy(cedar, APP, writeCounter('two'));
    await runsOn(ash, birch);
    expect(await count(cedar, 'two')).toBe(2);

    birch.agent.signalAgent('SIGHUP');
    await birch.agent.exited();
    await birch.start();
    expect(await count(ash, 'two')).toBe(3);

    await ash.kith(['volumes:move', 'data', 'cedar', '-a', APP]);
    await runsOn(birch, cedar);
    expect(await count(birch, 'two')).toBe(4);
    await eventually(() => copiesAt(birch).length === 0 && copiesAt(cedar).length === 1, WITHIN);

    const file = join(cluster.dir, 'data.tar.zst');
    await birch.kith(['volumes:backup', 'data', '--to', file, '-a', APP]);
    expect(await count(birch, 'two')).toBe(5);
    expect(await count(birch, 'two')).toBe(6);
    await ash.kith(['volumes:restore', 'data', file, '--confirm', 'data', '-a', APP]);
    expect(await count(ash, 'two')).toBe(5);
  },
);

test(
  'dynos wait for a volume whose host is dead, go on when it is back, and are named by `ps` meanwhile',
  { timeout: TEST_MS },
  async () => {
    const before = await count(ash, 'two');
    cedar.kill();
    await eventually(
      async () => {
        const said = await ash.kith(['ps', '-a', APP]);
        expect(said).toContain('Waits for its volume "data" on "cedar", which is not reachable');
        return true;
      },
      { withinMs: WAIT_MS, everyMs: 500 },
    );
    const refused = await ash.tryKith(['volumes:move', 'data', 'ash', '-a', APP]);
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain('Cannot reach peer');
    await cedar.start();
    expect(await count(ash, 'two')).toBe(before + 1);
  },
);

test(
  'a host that dies in the middle of a move loses nothing, and the volume is in one place afterwards',
  { timeout: TEST_MS },
  async () => {
    const before = await count(ash, 'two');
    const asked = birch.tryKith(['volumes:move', 'data', 'birch', '-a', APP]);
    let isMoved = false;
    const ended = asked.then(() => (isMoved = true));
    // It may be over sooner than somebody on a slow machine can look.
    await eventually(async () => isMoved || (await stateOf(ash)) !== 'ready', WITHIN);
    cedar.kill();
    await ended;
    await cedar.start();
    await eventually(async () => (await stateOf(ash)) === 'ready', { withinMs: WAIT_MS, everyMs: 200 });
    expect(await count(ash, 'two')).toBe(before + 1);
    await eventually(() => copiesAt(birch).length + copiesAt(cedar).length === 1, WITHIN);
  },
);

test(
  'a one-off dyno of the type that mounts a volume runs where that is, sees it, and keeps it from being copied',
  { timeout: TEST_MS },
  async () => {
    const { peer } = await volumeSeenBy(ash);
    const held = await count(ash, 'two');
    for (const asked of [ash, birch, cedar]) {
      await eventually(async () => (await stateOf(asked)) === 'ready', { withinMs: WAIT_MS });
      const said = await asked.kith(['run', '--type', 'web', '-a', APP, 'cat', '/app/data/count']);
      expect(said).toContain(String(held));
    }
    expect((await ash.tryKith(['run', '-a', APP, 'cat', '/app/data/count'])).status).not.toBe(0);
    const detached = await ash.tryKith(['run:detached', '--type', 'web', '-a', APP, 'sleep', '1000']);
    const [dyno = ''] = /web\.\d+/.exec(detached.stdout + detached.stderr) ?? [];
    for (const asked of [ash, birch]) {
      const seen = async () => (await asked.dynos(APP)).find(({ name }) => name === dyno);
      expect((await eventually(seen, WITHIN)).peer.name).toBe(peer.name);
    }
    const refused = await birch.tryKith(['volumes:backup', 'data', '--peer', 'ash', '-a', APP]);
    expect(refused.stderr).toContain(`the one-off dyno ${dyno} has it`);
    await ash.kith(['ps:stop', dyno, '-a', APP]);
    const made = await eventually(
      async () => {
        const backup = await birch.tryKith(['volumes:backup', 'data', '--peer', 'ash', '-a', APP]);
        return backup.status === 0 ? backup.stderr : null;
      },
      { withinMs: WAIT_MS },
    );
    expect(made).toContain('on ash');
    expect(await count(ash, 'two')).toBe(held + 1);
  },
);

test(
  'a backup that another host keeps outlives the host of the volume, and makes a new volume what it was',
  { timeout: TEST_MS },
  async () => {
    const { peer } = await volumeSeenBy(ash);
    const [lost = birch, other = cedar] = [birch, cedar].sort((a) => (a.name === peer.name ? -1 : 1));
    expect(lost.name).toBe(peer.name);
    const held = await count(ash, 'two');
    await other.kith(['volumes:backup', 'data', '--peer', other.name, '-a', APP]);
    const backup = await eventually(async () => {
      const found = await ash.call<readonly VolumeBackupResource[]>(`/kith/apps/${APP}/volume-backups`);
      return found.find((each) => each.peer.name === other.name && each.held_by.length === 1);
    }, WITHIN);
    expect(backup).toMatchObject({ volume: { name: 'data' }, peer: { name: other.name } });
    expect(await count(ash, 'two')).toBe(held + 1);
    lost.kill();
    const refused = await ash.tryKith(['peers:remove', lost.name, '--confirm', lost.name]);
    expect(refused.stderr).toContain(`volume "data" of "${APP}" is there and would be lost`);
    await ash.kith(['volumes:unmount', 'data', '-a', APP]);
    await ash.kith(['volumes:destroy', 'data', '--confirm', 'data', '-a', APP]);
    await ash.kith(['volumes:create', 'data', '--peer', 'ash', '-a', APP]);
    const from = ['--from', backup.id, '--confirm', 'data', '-a', APP];
    await ash.kith(['volumes:restore', 'data', ...from]);
    await ash.kith(['volumes:mount', 'data', 'web:/app/data', '-a', APP]);
    await runsOn(ash, ash);
    expect(await count(ash, 'two')).toBe(held + 1);
    await ash.kith(['volumes:backups:destroy', backup.id, '--confirm', backup.id, '-a', APP]);
    const left = await ash.call<readonly VolumeBackupResource[]>(`/kith/apps/${APP}/volume-backups`);
    expect(left.map(({ id }) => id)).not.toContain(backup.id);
    await lost.start();
    await eventually(() => copiesAt(lost).length === 0, { withinMs: WAIT_MS });
  },
);

test('a volume goes with its app, or by itself once it is unmounted', { timeout: TEST_MS }, async () => {
  const refused = await ash.tryKith(['volumes:destroy', 'data', '--confirm', 'data', '-a', APP]);
  expect(refused.stderr).toContain('has it mounted');
  await ash.kith(['volumes:unmount', 'data', '-a', APP]);
  await ash.kith(['volumes:destroy', 'data', '--confirm', 'data', '-a', APP]);
  await eventually(
    () => copiesAt(ash).length + copiesAt(birch).length + copiesAt(cedar).length === 0,
    WITHIN,
  );
  await ash.kith(['volumes:create', 'more', '-a', APP]);
  await eventually(() => copiesAt(ash).length === 1, WITHIN);
  await birch.kith(['apps:destroy', APP, '--confirm', APP]);
  await eventually(() => copiesAt(ash).length === 0, WITHIN);
});

async function stateOf(peer: Peer): Promise<string> {
  const [volume] = await peer.call<readonly VolumeResource[]>(`/kith/apps/${APP}/volumes`);
  return volume?.state ?? 'gone';
}

async function volumeSeenBy(peer: Peer): Promise<VolumeResource> {
  const [volume] = await peer.call<readonly VolumeResource[]>(`/kith/apps/${APP}/volumes`);
  if (volume === undefined) throw new Error(`"${APP}" has no volume`);
  return volume;
}
