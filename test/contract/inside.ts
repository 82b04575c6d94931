import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DynoSize } from '../../src/dyno-sizes.ts';
import type { DynoId } from '../../src/ids.ts';
import type { DynoSpec, ExecSession, ExecSpec, Runtime } from '../../src/shell/runtime.ts';
import type { SlugFiles } from '../../src/shell/slug-files.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { Recorder, urlOf } from '../runtimes/recorder.ts';
import { makeSlug } from '../runtimes/slug.ts';
import type { RuntimeMaker } from './runtime.ts';

const TINY: DynoSize = { name: 'Tiny', memoryMiB: 64, cpuShares: 1_024, processes: 48 };

const APP = `
import os, sys, time

def say(*words):
    print(*words, flush=True)

def eat(pause):
    held = []
    while True:
        held.append(b'x' * (8 << 20))
        time.sleep(float(pause))

def hold(megabytes):
    held = b'x' * (int(megabytes) << 20)
    say('held')
    time.sleep(1000)

def bomb():
    told = False
    while True:
        try:
            os.fork()
        except OSError:
            if not told:
                say('full')
            told = True
            time.sleep(0.05)

globals()[sys.argv[1]](*sys.argv[2:])
`;
import { dynoSpec } from '../runtimes/dyno-spec.ts';

/**
 * What every driver promises of the inside of a running dyno: commands, files, limits and volumes.
 * @param boundsProcesses whether the driver can, here, bound how many processes a dyno has
 */
export function insideContract(name: string, makeRuntime: RuntimeMaker, boundsProcesses = true): void {
  // A skipped test counts as a failed one: where nothing bounds them the test is not there.
  const whereBounded: (name: string, run: () => Promise<void>) => void = boundsProcesses ? test : () => {};

  describe(`inside a dyno: ${name}`, () => {
    let dir: Awaited<ReturnType<typeof tempDir>>;
    let runtime: Runtime;
    let events: Recorder;
    let slug: SlugFiles;

    beforeAll(async () => {
      dir = await tempDir('kith-inside-');
      slug = await makeSlug(dir.path, {
        'app.py': APP,
        '.profile': 'export PROFILE=yes; echo from the profile',
      });
      runtime = await makeRuntime(dir.path);
      events = new Recorder(runtime);
    });
    afterAll(async () => {
      await runtime.shutdown();
      await dir[Symbol.asyncDispose]();
    });

    async function start(command: string, more: Partial<DynoSpec> = {}): Promise<DynoId> {
      const spec = dynoSpec(slug, command, more);
      await runtime.start(spec);
      return spec.dyno;
    }

    async function ready(command: string, more: Partial<DynoSpec> = {}): Promise<DynoId> {
      const dyno = await start(`${command}; echo ready; sleep 1000; true`, more);
      await events.line(dyno, 'ready');
      return dyno;
    }

    async function kill(dyno: DynoId): Promise<void> {
      await runtime.signal(dyno, 'SIGKILL');
      await events.exited(dyno);
      await runtime.remove(dyno);
    }

    function exec(dyno: DynoId, command: string, more: Partial<ExecSpec> = {}): Promise<ExecSession> {
      return runtime.exec(dyno, { command, env: {}, tty: null, ...more });
    }

    /** What a command printed, and its exit status. */
    async function output(dyno: DynoId, command: string, more: Partial<ExecSpec> = {}): Promise<string[]> {
      const { stdio, ended } = await exec(dyno, command, more);
      stdio.end();
      const lines = (await text(stdio)).trimEnd().split('\n');
      return [...lines, `status ${(await ended).status}`];
    }

    test('a command has the environment, files, user and processes of the dyno, and tells its exit status', async () => {
      const dyno = await ready('echo here >note; id -u >uid; echo $$ >pid', {
        env: { A: 'config', B: 'config' },
      });
      const command = 'cat note; echo $A $B $PROFILE $DYNO; pwd | xargs basename; exit 7';
      const lines = await output(dyno, command, { env: { B: `it's "mine"` } });
      expect(lines).toEqual([
        'from the profile',
        'here',
        `config it's "mine" yes worker.1`,
        'app',
        'status 7',
      ]);
      const same = await output(dyno, '[ "$(id -u)" = "$(cat uid)" ] && kill -0 "$(cat pid)" && echo same');
      expect(same).toContain('same');
      await kill(dyno);
    });

    test('a command has no right that the dyno does not have', async () => {
      const dyno = await ready('true');
      const caps = `grep -E '^(CapPrm|CapEff|CapAmb)' /proc/self/status | grep -vc '0000000000000000$'`;
      const lines = await output(dyno, `${caps}; touch /usr/bin/x /etc/x 2>/dev/null || echo refused`);
      if (process.getuid?.() === 0) expect(lines).toContain('0');
      expect(lines).toContain('refused');
      await kill(dyno);
    });

    test('bytes pass both ways unchanged, and the end of input passes on', async () => {
      const dyno = await ready('true');
      const { stdio, ended } = await exec(dyno, 'head -c 18 >/dev/null; cat; exit 3');
      const bytes = Buffer.alloc(300_000, Buffer.from([0, 255, 10, 13, 4, 200]));
      const received: Buffer[] = [];
      stdio.on('data', (data: Buffer) => received.push(data));
      stdio.end(Buffer.concat([Buffer.alloc(18), bytes]));
      await once(stdio, 'end');
      const greeting = Buffer.from('from the profile\n');
      expect(Buffer.concat(received).equals(Buffer.concat([greeting, bytes]))).toBe(true);
      expect(await ended).toEqual({ status: 3, signal: null });
      await kill(dyno);
    });

    test('a terminal has its size and type, echoes, and can be resized', async () => {
      const dyno = await ready('true');
      const tty = { columns: 100, rows: 30, term: 'xterm-256color' };
      const session = await exec(dyno, 'stty size; echo $TERM; read -r a; stty size; echo "<$a>"; exit 5', {
        tty,
      });
      let seen = '';
      session.stdio.on('data', (data: Buffer) => (seen += data.toString()));
      await eventually(() => seen.includes('30 100\r\nxterm-256color\r\n'), { withinMs: 40_000 });
      await session.resize(80, 24);
      session.stdio.write('word\r');
      expect((await session.ended).status).toBe(5);
      await eventually(() => seen.endsWith('word\r\n24 80\r\n<word>\r\n'));
      session.stdio.destroy();
      await kill(dyno);
    });

    test('an interactive shell has job control: Ctrl-C ends what it runs, not the shell', async () => {
      const dyno = await ready('true');
      const tty = { columns: 80, rows: 24, term: 'xterm' };
      const { stdio, ended } = await exec(dyno, 'exec bash --norc -i', { tty });
      let seen = '';
      stdio.on('data', (data: Buffer) => (seen += data.toString()));
      stdio.write('(echo $((40 + 2)); exec sleep 1000)\r');
      await eventually(() => seen.includes('42\r\n'), { withinMs: 40_000 });
      stdio.write('\u0003');
      await eventually(() => seen.includes('^C'));
      stdio.write('exit 6\r');
      expect((await ended).status).toBe(6);
      expect(seen).not.toContain('no job control');
      stdio.destroy();
      await kill(dyno);
    });

    test('a command ends with its dyno', async () => {
      const dyno = await ready('true');
      const { stdio, ended } = await exec(dyno, 'echo up; sleep 1000; true');
      let seen = '';
      stdio.on('data', (data: Buffer) => (seen += data.toString()));
      await eventually(() => seen.includes('up\n'));
      await kill(dyno);
      expect((await ended).status).not.toBe(0);
      await eventually(() => stdio.readableEnded || stdio.destroyed);
      stdio.destroy();
    });

    test.each([null, { columns: 80, rows: 24, term: 'xterm' }])(
      'a command ends when its client goes, with terminal %j',
      async (tty) => {
        const dyno = await ready('true');
        const { stdio, ended } = await exec(dyno, 'echo $$ >mine; trap "" HUP; echo up; sleep 1000; true', {
          tty,
        });
        let seen = '';
        stdio.on('data', (data: Buffer) => (seen += data.toString()));
        await eventually(() => seen.includes('up'));
        stdio.destroy();
        await eventually(
          async () => (await output(dyno, 'kill -0 "$(cat mine)" 2>/dev/null')).at(-1) !== 'status 0',
          { withinMs: 40_000 },
        );
        await ended;
        expect(events.tags(dyno)).not.toContain('exited');
        await kill(dyno);
      },
    );

    test('neither the variables nor the text of a command are in an argv of this host', async () => {
      const dyno = await ready('true');
      const secret = randomUUID();
      const { stdio } = await exec(dyno, `echo up; : ${secret}; sleep 1000; true`, {
        env: { SECRET: secret },
      });
      await once(stdio, 'data');
      const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
      const argvs = await Promise.all(
        pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
      );
      // The shell that runs the command is the dyno's own, and shows its text to the dyno alone.
      const outside = argvs.filter((argv) => argv.includes(secret) && !argv.startsWith('/bin/bash\0-c'));
      expect(outside).toEqual([]);
      stdio.destroy();
      await kill(dyno);
    });

    test('a dyno that is gone, or never was, runs no command and gives no file', async () => {
      const dyno = await start('true');
      await events.exited(dyno);
      for (const gone of [dyno, randomUUID() as DynoId]) {
        await expect(exec(gone, 'true')).rejects.toMatchObject({ code: 'not_found' });
        await expect(runtime.copyOut(gone, '/app')).rejects.toMatchObject({ code: 'not_found' });
      }
      await runtime.remove(dyno);
    });

    describe('copied out', () => {
      async function unpacked(tar: Readable): Promise<string> {
        const dest = join(dir.path, `copy-${randomUUID()}`);
        await mkdir(dest);
        await writeFile(`${dest}.tar`, tar);
        await promisify(execFile)('tar', ['-x', '-f', `${dest}.tar`, '-C', dest]);
        return dest;
      }

      test('a file is named by its last part and whole, by absolute and by relative path', async () => {
        const dyno = await ready(
          `mkdir -p deep; printf 'a\\0b\\377' >deep/'od d$x'; head -c 3000000 /dev/zero >big`,
        );
        const odd = await unpacked(await runtime.copyOut(dyno, `/app/deep/od d$x`));
        expect(await readFile(join(odd, 'od d$x'))).toEqual(Buffer.from([97, 0, 98, 255]));
        const big = await unpacked(await runtime.copyOut(dyno, 'big'));
        expect((await readFile(join(big, 'big'))).length).toBe(3_000_000);
        await kill(dyno);
      });

      test('a folder comes with what is in it, home too', async () => {
        const dyno = await ready('mkdir -p data/sub; echo 1 >data/one; echo 2 >data/sub/two');
        const data = await unpacked(await runtime.copyOut(dyno, '/app/data/'));
        expect(await readFile(join(data, 'data/sub/two'), 'utf8')).toBe('2\n');
        const home = await unpacked(await runtime.copyOut(dyno, '/app'));
        expect(await readFile(join(home, 'app/data/one'), 'utf8')).toBe('1\n');
        await kill(dyno);
      });

      test('what is missing, or may not be read by the dyno, is said so', async () => {
        const dyno = await ready('true');
        for (const path of ['/app/none', 'none/none', '/app/app.py/x']) {
          await expect(runtime.copyOut(dyno, path)).rejects.toMatchObject({ code: 'not_found' });
        }
        await kill(dyno);
      });

      test('a link is copied as a link, and links on the way lead nowhere that the dyno cannot go itself', async () => {
        const secret = join(dir.path, 'secret');
        await mkdir(secret, { mode: 0o700 });
        const dyno = await ready(`ln -s /etc/shadow link; ln -s ${secret} way`);
        const link = await unpacked(await runtime.copyOut(dyno, '/app/link'));
        expect(await readlink(join(link, 'link'))).toBe('/etc/shadow');
        if (process.getuid?.() === 0) {
          await expect(runtime.copyOut(dyno, '/app/way/x')).rejects.toMatchObject({ code: 'not_found' });
        }
        await kill(dyno);
      });

      test('a reader that stops early ends the copying, and nothing else', async () => {
        const dyno = await ready('head -c 50000000 /dev/zero >big');
        for (let round = 0; round < 5; round += 1) {
          const tar = await runtime.copyOut(dyno, 'big');
          await once(tar, 'readable');
          tar.destroy();
          await eventually(
            async () => (await output(dyno, 'pgrep -x -u "$(id -u)" tar || echo none')).includes('none'),
            { withinMs: 40_000 },
          );
        }
        await kill(dyno);
      });
    });

    describe('limited', () => {
      test('a dyno that eats memory is ended at twice its quota, and the end says why', async () => {
        const dyno = await start('python3 app.py eat 0.02', { size: TINY });
        const exited = await events.exited(dyno, 60_000);
        expect(exited).toMatchObject({ status: 137, outOfMemory: true });
        await runtime.remove(dyno);
      });

      test('a dyno over its quota but below twice of it goes on, and its statistics show it', async () => {
        const dyno = await start('python3 app.py hold 80', { size: TINY });
        await events.line(dyno, 'held');
        const { rssMiB } = await eventually(async () => {
          const stats = await runtime.stats(dyno);
          return stats !== null && stats.rssMiB > 80 ? stats : null;
        });
        expect(rssMiB).toBeLessThan(128);
        await kill(dyno);
        expect(events.of(dyno).at(-1)).toMatchObject({ tag: 'exited', outOfMemory: false });
      });

      whereBounded('a dyno that forks without end fills its own place only, and can be ended', async () => {
        const neighbour = await ready('true', { size: TINY });
        const web = await start('python3 -m http.server $PORT', { web: true });
        const url = urlOf(await events.listening(web));
        const bomb = await start('python3 app.py bomb', { size: { ...TINY, memoryMiB: 512 } });
        await events.line(bomb, 'full', 60_000);
        expect((await runtime.stats(bomb))?.processes).toBeLessThanOrEqual(TINY.processes + 8);
        expect((await fetch(url)).status).toBe(200);
        expect(await output(neighbour, '(echo child)')).toContain('child');
        await Promise.all([kill(bomb), kill(neighbour), kill(web)]);
      });
    });

    describe('with a volume', () => {
      async function volume(): Promise<string> {
        const path = join(dir.path, `volume-${randomUUID()}`);
        await mkdir(path, { mode: 0o755 });
        // Dynos with users of their own and no namespaces reach it by its path only.
        await chmod(dir.path, 0o711);
        return path;
      }

      test('files there outlive the dyno, may be changed by the next, and by two at once', async () => {
        const volumes = [{ source: await volume(), path: '/app/lib/data' }];
        const first = await start('echo 1 >lib/data/kept; mkdir lib/data/sub', { volumes });
        expect((await events.exited(first)).status).toBe(0);
        await runtime.remove(first);
        const second = await ready('echo 2 >>lib/data/kept && rmdir lib/data/sub', { volumes });
        const third = await start('echo 3 >>lib/data/kept && cat lib/data/kept', { volumes });
        await events.exited(third);
        expect(events.lines(third).slice(-3)).toEqual(['1', '2', '3']);
        await runtime.remove(third);
        expect(events.tags(second)).not.toContain('exited');
        expect(await output(second, 'cat lib/data/kept')).toEqual(expect.arrayContaining(['1', '2', '3']));
        await kill(second);
        expect(await readFile(join(volumes[0]?.source ?? '', 'kept'), 'utf8')).toBe('1\n2\n3\n');
      });

      test('what the slug has at its place is hidden, and links in the slug lead nowhere', async () => {
        const trap = join(dir.path, 'trap');
        await mkdir(trap, { recursive: true });
        const volumes = [{ source: await volume(), path: '/app/app.py' }];
        const hiding = await start('ls -A app.py | wc -l', { volumes });
        await events.exited(hiding);
        expect(events.lines(hiding)).toContain('0');
        await runtime.remove(hiding);
        const tricky = await makeSlug(dir.path, { file: 'x', way: 'x' });
        const refused = start('true', {
          slug: tricky,
          volumes: [{ source: await volume(), path: '/app/way/in' }],
        });
        await expect(refused).rejects.toMatchObject({ name: 'PlatformError' });
        expect(await readdir(trap)).toEqual([]);
      });

      test('a place that is no plain path, or is the system, is refused, and so is a volume that is not here', async () => {
        const source = await volume();
        const absent = [{ source: `${source}-absent`, path: '/app/data' }];
        await expect(start('true', { volumes: absent })).rejects.toMatchObject({ name: 'PlatformError' });
        for (const path of ['data', '/app', '/app/../etc', '/usr/lib', '/', '/app/x/']) {
          await expect(start('true', { volumes: [{ source, path }] })).rejects.toMatchObject({
            name: 'PlatformError',
          });
        }
      });
    });
  });
}
