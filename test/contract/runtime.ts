import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_SIZE } from '../../src/dyno-sizes.ts';
import type { BlobId, DynoId } from '../../src/ids.ts';
import type { DynoAddress, DynoSpec, Runtime } from '../../src/shell/runtime.ts';
import type { SlugFiles } from '../../src/shell/slug-files.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { Recorder, urlOf } from '../runtimes/recorder.ts';
import { makeSlug } from '../runtimes/slug.ts';

/** An app for whatever the command asks of it: `python3 app.py serve HOST`, `tree`, `stubborn`… */
const APP = `
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer as HTTPServer
import os, signal, socket, subprocess, sys, time

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = ('hello from ' + os.environ['DYNO']).encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass

def serve(host='0.0.0.0', after='0'):
    time.sleep(float(after))
    server = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if ':' in host:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    server.bind((host, int(os.environ['PORT'])))
    server.listen(16)
    http = HTTPServer(server.getsockname(), Handler, bind_and_activate=False)
    http.socket = server
    http.serve_forever()

def say(*words):
    print(*words, flush=True)

def on_term(name):
    def handler(*_):
        say(name, 'got SIGTERM')
        sys.exit(0)
    signal.signal(signal.SIGTERM, handler)

def wait():
    while True:
        time.sleep(1)

def tree():
    # A grandchild in a session of its own, whose parent is gone. The leader's end would end it: it is waited for.
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            on_term('grandchild')
            say('grandchild ready')
            wait()
        os._exit(0)
    os.close(writing)
    signal.signal(signal.SIGTERM, lambda *_: (say('leader got SIGTERM'), os.read(reading, 1), sys.exit(0)))
    say('leader ready')
    wait()

def stubborn():
    signal.signal(signal.SIGTERM, lambda *_: say('no'))
    say('ready')
    wait()

def heart():
    # A daemon that answers on a port as long as it lives, left behind by a leader that ends when the daemon is asked for it.
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.chdir('/')
            server = socket.socket()
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(('0.0.0.0', int(os.environ['PORT'])))
            server.listen()
            while True:
                with server.accept()[0] as client:
                    if client.recv(100).startswith(b'GET /end'):
                        os.write(writing, b'.')
        os._exit(0)
    os.read(reading, 1)

def flood(megabytes):
    line = b'x' * 99 + b'\\n'
    for _ in range(int(megabytes)):
        sys.stdout.buffer.write(line * 10000)
    sys.stdout.flush()
    say('flood over')
    wait()

def binary():
    sys.stdout.buffer.write(b'a\\x00b\\xff\\xfe\\nplain\\n' + 'ü'.encode() * 6000 + b'\\nno newline')
    sys.stdout.flush()

def count(last):
    for number in range(1, int(last) + 1):
        say('line', number)
        time.sleep(0.02)
    wait()

globals()[sys.argv[1]](*sys.argv[2:])
`;
import { dynoSpec } from '../runtimes/dyno-spec.ts';

export type RuntimeMaker = (dir: string) => Promise<Runtime>;

/**
 * What every driver promises.
 * @param makeRuntime opens a runtime whose dynos belong to `dir`; called again for the same `dir`, it finds them
 */
export function runtimeContract(name: string, makeRuntime: RuntimeMaker): void {
  describe(`runtime contract: ${name}`, () => {
    let dir: Awaited<ReturnType<typeof tempDir>>;
    let runtime: Runtime;
    let events: Recorder;
    let slug: SlugFiles;

    beforeAll(async () => {
      dir = await tempDir('kith-runtime-');
      slug = await makeSlug(dir.path, {
        'app.py': APP,
        '.profile.d/one.sh': 'export ONE=1 ORDER=$ORDER-profile.d',
        '.profile': 'export ORDER=$ORDER-profile',
      });
      runtime = await makeRuntime(dir.path);
      events = new Recorder(runtime);
    });
    afterAll(async () => {
      await runtime.shutdown();
      await dir[Symbol.asyncDispose]();
    });

    function spec(command: string, more: Partial<DynoSpec> = {}): DynoSpec {
      return dynoSpec(slug, command, { name: 'web.1', ...more });
    }

    async function start(command: string, more: Partial<DynoSpec> = {}): Promise<DynoId> {
      const wanted = spec(command, more);
      await runtime.start(wanted);
      return wanted.dyno;
    }

    async function kill(dyno: DynoId): Promise<void> {
      await runtime.signal(dyno, 'SIGKILL');
      await events.exited(dyno);
      await runtime.remove(dyno);
    }

    test('a web dyno starts, listens on its port and answers', async () => {
      const dyno = await start('python3 app.py serve 0.0.0.0', { web: true });
      const response = await fetch(urlOf(await events.listening(dyno)));
      expect(await response.text()).toBe('hello from web.1');
      expect(events.tags(dyno)).toEqual(['started', 'listening']);
      await kill(dyno);
    });

    test('a dyno that binds only IPv6, or only after a while, is listening once it accepts', async () => {
      const six = await start('python3 app.py serve ::', { web: true });
      const late = await start('python3 app.py serve 0.0.0.0 1', { web: true });
      expect((await fetch(urlOf(await events.listening(six)))).status).toBe(200);
      expect((await fetch(urlOf(await events.listening(late)))).status).toBe(200);
      await Promise.all([kill(six), kill(late)]);
    });

    test('two web dynos get different addresses', async () => {
      const [one, two] = await Promise.all([
        start('python3 app.py serve', { web: true }),
        start('python3 app.py serve', { web: true }),
      ]);
      expect(await events.listening(one)).not.toEqual(await events.listening(two));
      await Promise.all([kill(one), kill(two)]);
    });

    test('a dyno reaches the internal ports that it is let through to, at the address that stands for them', async () => {
      const server = createServer((socket) => socket.end('inside\n')).listen(0, runtime.internalHost);
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      await runtime.allowPorts([port]);
      const dyno = await start(`timeout 30 cat </dev/tcp/${runtime.internalHost}/${port}`, {
        name: 'worker.1',
      });
      await events.exited(dyno);
      expect(events.lines(dyno)).toEqual(['inside']);
      await runtime.allowPorts([]);
      await runtime.remove(dyno);
      server.close();
    });

    test('a dyno without a port counts as listening when it has lived a moment, one that crashes never', async () => {
      const worker = await start('sleep 1000', { name: 'worker.1' });
      expect(await events.listening(worker)).toBeNull();
      await kill(worker);
      // On a machine that is slow enough, what crashes at once has lived a moment too.
      const crashing = await eventually(
        async () => {
          const dyno = await start('exit 1', { name: 'worker.2' });
          await events.exited(dyno);
          expect(events.tags(dyno)).not.toContain('listening');
          return dyno;
        },
        { withinMs: 40_000 },
      );
      expect(events.tags(crashing)).toEqual(['started', 'exited']);
    });

    test('the environment is config vars and platform vars, and nothing of the agent', async () => {
      process.env['AGENT_SECRET'] = 'of-the-agent';
      const env = { A: `it's "b" $HOME\n2nd`, EMPTY: '', PORT: '1', DYNO: 'x.9', ORDER: 'config' };
      const dyno = await start('env -0 | sort -z | tr "\\0\\n" "\\n~"; pwd', { web: true, env });
      await events.exited(dyno);
      const lines = events.lines(dyno);
      expect(lines).toEqual(
        expect.arrayContaining([`A=it's "b" $HOME~2nd`, 'EMPTY=', 'DYNO=web.1', 'PS=web.1', 'ONE=1']),
      );
      expect(lines).toContain('ORDER=config-profile.d-profile');
      const home = lines.find((line) => line.startsWith('HOME='))?.slice('HOME='.length);
      expect(lines.at(-1)).toBe(home);
      const started = events.of(dyno).find((event) => event.tag === 'started');
      expect(lines).toContain(`PORT=${started?.tag === 'started' && started.address?.port}`);
      const names = lines.slice(0, -1).map((line) => line.split('=')[0]);
      expect(lines).toContain(`KITH_MEMORY_MIB=${DEFAULT_SIZE.memoryMiB}`);
      const own = ['A', 'EMPTY', 'ORDER', 'ONE', 'PORT', 'DYNO', 'PS', 'HOME', 'PATH', 'KITH_MEMORY_MIB'];
      const shells = ['PWD', 'SHLVL', '_', 'TMPDIR', 'HOSTNAME', 'KITH_OWNER'];
      expect(names.filter((entry) => ![...own, ...shells].includes(entry ?? ''))).toEqual([]);
      await runtime.remove(dyno);
    });

    test('config vars are in no argv of this host', async () => {
      const secret = randomUUID();
      const dyno = await start('echo ready; sleep 1000; true', { env: { SECRET: secret } });
      await events.line(dyno, 'ready');
      const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
      const argvs = await Promise.all(
        pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
      );
      expect(argvs.some((argv) => argv.includes('sleep'))).toBe(true);
      expect(argvs.filter((argv) => argv.includes(secret))).toEqual([]);
      await kill(dyno);
    });

    test('each dyno has its own copy of the slug', async () => {
      const writer = await start('echo changed >app.py; rm -r .profile.d; touch new; ls -A; exit 0');
      expect((await events.exited(writer)).status).toBe(0);
      const reader = await start('head -c 8 app.py | tr -d "\\n"; ls -A');
      await events.exited(reader);
      expect(events.lines(reader)).toContain('.profile.d');
      expect(events.lines(reader).join()).not.toMatch(/changed|new/);
      await Promise.all([runtime.remove(writer), runtime.remove(reader)]);
    });

    test('a dyno is not root and cannot change its system', async () => {
      const dyno = await start('id -u; touch /usr/bin/x /etc/x 2>/dev/null || echo refused');
      await events.exited(dyno);
      const isRootAgent = process.getuid?.() === 0;
      if (isRootAgent) expect(events.lines(dyno)[0]).not.toBe('0');
      expect(events.lines(dyno).at(-1)).toBe('refused');
      await runtime.remove(dyno);
    });

    test('stdout and stderr come as lines in order, and can be opened again as files', async () => {
      const dyno = await start('echo 1; echo 2 >&2; echo 3 >/dev/stdout; printf 4 >/dev/stderr; exit 0');
      await events.exited(dyno);
      expect(events.lines(dyno)).toEqual(['1', '2', '3', '4']);
      expect(events.output(dyno).map((event) => event.seq)).toEqual([1, 2, 3, 4]);
      expect(events.tags(dyno).at(-1)).toBe('exited');
      await runtime.remove(dyno);
    });

    test('bytes that are no UTF-8 come as replacement characters and long lines in parts', async () => {
      const dyno = await start('python3 app.py binary');
      await events.exited(dyno);
      const lines = events.lines(dyno);
      expect(lines.slice(0, 2)).toEqual(['a\0b\ufffd\ufffd', 'plain']);
      expect(lines.slice(2)).toEqual(['ü'.repeat(5000), 'ü'.repeat(1000), 'no newline']);
      await runtime.remove(dyno);
    });

    test('a flood of output is dropped and counted by gaps, and never stops the dyno', async () => {
      const dyno = await start('python3 app.py flood 100');
      await events.line(dyno, 'flood over', 90_000);
      const seqs = events.output(dyno).map((event) => event.seq);
      // Exactly, where the runtime counts; an Engine drops whole files of its log without a word.
      if (runtime.kind === 'process') expect(seqs.at(-1)).toBe(1_000_001);
      expect(seqs.at(-1)).toBeLessThanOrEqual(1_000_001);
      expect(seqs.every((seq, index) => index === 0 || seq > (seqs[index - 1] ?? 0))).toBe(true);
      await kill(dyno);
    }, 180_000);

    test('exit codes are told, deaths by signal as 128 + n', async () => {
      const [seven, zero, aborted] = [
        await start('exit 7'),
        await start('true'),
        await start('kill -ABRT $$'),
      ];
      expect((await events.exited(seven)).status).toBe(7);
      expect((await events.exited(zero)).status).toBe(0);
      expect((await events.exited(aborted)).status).toBe(134);
    });

    test('SIGTERM reaches every process of a dyno, those in other sessions too', async () => {
      const dyno = await start('python3 app.py tree');
      await events.line(dyno, 'grandchild ready');
      await events.line(dyno, 'leader ready');
      await runtime.signal(dyno, 'SIGTERM');
      expect((await events.exited(dyno)).status).toBe(0);
      expect(events.lines(dyno)).toEqual(
        expect.arrayContaining(['leader got SIGTERM', 'grandchild got SIGTERM']),
      );
      await runtime.remove(dyno);
    });

    test('a dyno that ignores SIGTERM ends by SIGKILL', async () => {
      const dyno = await start('python3 app.py stubborn');
      await events.line(dyno, 'ready');
      await runtime.signal(dyno, 'SIGTERM');
      await events.line(dyno, 'no');
      await runtime.signal(dyno, 'SIGKILL');
      expect((await events.exited(dyno)).status).toBe(137);
      await runtime.remove(dyno);
    });

    test('daemons that a dyno left behind end with it, by SIGKILL or by its own end', async () => {
      const killed = await start('python3 app.py heart', { web: true });
      const ended = await start('python3 app.py heart', { web: true });
      const addresses = await Promise.all([events.listening(killed), events.listening(ended)]);
      await runtime.signal(killed, 'SIGKILL');
      // It gives no answer.
      await fetch(`${urlOf(addresses[1])}end`).catch(() => undefined);
      await Promise.all([events.exited(killed), events.exited(ended)]);
      for (const address of addresses) await eventually(() => isSilent(address));
      await Promise.all([runtime.remove(killed), runtime.remove(ended)]);
    });

    test('signals to a dyno that is gone, or never was, are no error', async () => {
      const dyno = await start('true');
      await events.exited(dyno);
      await runtime.signal(dyno, 'SIGTERM');
      await runtime.remove(dyno);
      await runtime.signal(dyno, 'SIGKILL');
      await runtime.remove(dyno);
      expect(await runtime.stats(dyno)).toBeNull();
    });

    test('a slug that cannot be read is said so, and nothing is left of the dyno', async () => {
      const missing = { ...slug, id: 'missing' as BlobId, path: `${dir.path}/missing.tar.zst` };
      const broken = spec('true', { slug: missing });
      await expect(runtime.start(broken)).rejects.toMatchObject({ name: 'PlatformError' });
      expect(events.of(broken.dyno)).toEqual([]);
      expect((await runtime.list(() => 0)).map((found) => found.dyno)).not.toContain(broken.dyno);
    });

    test('a prepared slug is used, by two calls at once too, and a collected one is unpacked again', async () => {
      await Promise.all([runtime.prepare(slug), runtime.prepare(slug)]);
      const before = await start('test -f app.py');
      await runtime.collect(new Set());
      const after = await start('test -f app.py');
      expect((await events.exited(before)).status).toBe(0);
      expect((await events.exited(after)).status).toBe(0);
    });

    test('statistics count the memory and CPU of all processes', async () => {
      const dyno = await start('python3 -c "x = bytearray(64 << 20); import time; time.sleep(1000)" & wait');
      await eventually(async () => ((await runtime.stats(dyno))?.rssMiB ?? 0) > 64, { withinMs: 40_000 });
      const stats = await runtime.stats(dyno);
      expect(stats?.rssMiB).toBeLessThan(128);
      expect(stats?.processes).toBeGreaterThanOrEqual(2);
      expect(stats?.cpuSeconds).toBeGreaterThan(0);
      await kill(dyno);
    });

    describe('attached', () => {
      const tty = { tty: { columns: 100, rows: 30, term: 'xterm-256color' } };

      test('a terminal has its size and type, echoes, and its output is not logged', async () => {
        const dyno = await start('stty size; echo $TERM; read -r word; echo "got $word"; exit 5', {
          attach: tty,
        });
        const terminal = new Screen(await runtime.attach(dyno));
        await terminal.shows('30 100\r\nxterm-256color\r\n');
        terminal.type('sesame\r');
        await terminal.ends();
        expect(terminal.seen).toBe('30 100\r\nxterm-256color\r\nsesame\r\ngot sesame\r\n');
        expect((await events.exited(dyno)).status).toBe(5);
        expect(events.output(dyno)).toEqual([]);
      });

      test('resizing is seen, and Ctrl-C interrupts what runs in the foreground', async () => {
        const command = 'trap "stty size" WINCH; echo ready; while :; do read -r -t 0.1 x; done';
        const dyno = await start(command, { attach: tty });
        const terminal = new Screen(await runtime.attach(dyno));
        await terminal.shows('ready');
        await runtime.resize(dyno, 80, 24);
        await terminal.shows('24 80');
        // While bash waits for `stty` to be gone, a Ctrl-C is stty's: it is typed until bash gets it.
        const typing = setInterval(() => terminal.type('\x03'), 200);
        try {
          expect((await events.exited(dyno)).status).toBe(130);
        } finally {
          clearInterval(typing);
        }
        await terminal.ends();
      });

      test('an interactive shell controls its jobs', async () => {
        const dyno = await start('PS1=%% exec bash --norc -i', { attach: tty });
        const terminal = new Screen(await runtime.attach(dyno));
        await terminal.shows('%%');
        // Words are echoed, and the line ended, before the shell lets go of the terminal: what it runs has it.
        terminal.type('echo $((40 + 1)); cat\r');
        await terminal.shows('41\r\n');
        terminal.type('meow\r');
        await terminal.shows('meow\r\nmeow\r\n');
        terminal.type('\x03');
        await terminal.shows('^C');
        terminal.type('echo $((6 * 7)); exit 3\r');
        await terminal.ends();
        expect(terminal.seen).toContain('42\r\n');
        expect(terminal.seen).not.toContain('no job control');
        expect((await events.exited(dyno)).status).toBe(3);
      });

      test('without a terminal bytes pass unchanged both ways and the end of input passes on', async () => {
        const dyno = await start('cat; echo bye >&2; exit 4', { attach: { tty: null } });
        const stdio = await runtime.attach(dyno);
        const bytes = Buffer.alloc(300_000, Buffer.from([0, 255, 10, 13, 4, 200]));
        const received: Buffer[] = [];
        stdio.on('data', (data: Buffer) => received.push(data));
        stdio.end(bytes);
        await once(stdio, 'end');
        expect(Buffer.concat(received).equals(Buffer.concat([bytes, Buffer.from('bye\n')]))).toBe(true);
        expect((await events.exited(dyno)).status).toBe(4);
      });

      test('a client that comes late, even after the end, gets what was said, and only one may come', async () => {
        const dyno = await start('head -c 500000 /dev/zero', { attach: { tty: null } });
        await events.exited(dyno);
        const stdio = await runtime.attach(dyno);
        stdio.end();
        expect((await text(stdio)).length).toBe(500_000);
        await expect(runtime.attach(dyno)).rejects.toMatchObject({ name: 'PlatformError' });
        await runtime.remove(dyno);
      });

      test('a slow client slows the dyno, and SIGHUP ends it', async () => {
        const dyno = await start('yes', { attach: { tty: null } });
        const stdio = await runtime.attach(dyno);
        await once(stdio, 'readable');
        await runtime.signal(dyno, 'SIGHUP');
        expect((await events.exited(dyno)).status).toBe(129);
        stdio.destroy();
      });
    });

    test('dynos outlive their agent: the next one finds them, hears what it missed, once, and goes on', async () => {
      const labels = { slot: 'blog/web.1' };
      const web = await start('python3 app.py serve', { web: true, labels });
      const counter = await start('python3 app.py count 150', { labels: { n: '1' } });
      const ending = await start('echo last words; sleep 0.3; exit 9');
      const address = await events.listening(web);
      await events.line(counter, 'line 5');
      await runtime[Symbol.asyncDispose]();
      const before = events;
      const lastSeq = before.output(counter).at(-1)?.seq ?? 0;

      runtime = await makeRuntime(dir.path);
      events = new Recorder(runtime);
      const found = await eventually(async () => {
        const list = await runtime.list((dyno) => (dyno === counter ? lastSeq : 0));
        return list.find((dyno) => dyno.dyno === ending)?.exited === null ? null : list;
      });
      expect(found.find((dyno) => dyno.dyno === web)).toEqual({
        dyno: web,
        labels,
        address,
        listening: true,
        exited: null,
      });
      expect(found.find((dyno) => dyno.dyno === ending)?.exited?.status).toBe(9);
      await events.line(ending, 'last words');
      await events.line(counter, 'line 150');
      const numbers = [...before.lines(counter), ...events.lines(counter)];
      const seqs = new Set([...before.output(counter), ...events.output(counter)].map((event) => event.seq));
      expect([...seqs].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 150 }, (_, i) => i + 1));
      expect(new Set(numbers).size).toBe(150);
      expect((await fetch(urlOf(address))).status).toBe(200);
      await runtime.signal(web, 'SIGTERM');
      expect((await events.exited(web)).status).toBe(143);
      expect(events.tags(web)).toEqual(['exited']);
      await kill(counter);
    });
  });
}

/** What a person at a terminal sees. */
class Screen {
  seen = '';
  readonly #stdio: Duplex;
  #isEnded = false;

  constructor(stdio: Duplex) {
    this.#stdio = stdio;
    stdio.on('data', (data: Buffer) => (this.seen += data.toString('utf8')));
    stdio.once('end', () => (this.#isEnded = true));
  }

  type(keys: string): void {
    this.#stdio.write(keys);
  }

  async shows(wanted: string): Promise<void> {
    await eventually(() => this.seen.includes(wanted), { withinMs: 40_000 });
  }

  async ends(): Promise<void> {
    await eventually(() => this.#isEnded, { withinMs: 40_000 });
    this.#stdio.destroy();
  }
}

/** Nobody is there any more: refused where others share the address, without answer where the address went too. */
async function isSilent(address: DynoAddress | null): Promise<boolean> {
  try {
    await fetch(urlOf(address), { signal: AbortSignal.timeout(2_000) });
    return false;
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    const { code } = (cause ?? {}) as { code?: string };
    return code === 'ECONNREFUSED' || code === 'EHOSTUNREACH';
  }
}
