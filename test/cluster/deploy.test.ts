import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../scripts/lib/agent-process.ts';
import { must, run } from '../../scripts/lib/kith.ts';
import type { ReleaseResource } from '../../src/platform/release.ts';
import { eventually } from '../helpers/eventually.ts';
import { formationMet } from './apps.ts';
import { useCluster, WAIT_MS } from './cluster.ts';
import type { Peer } from './peer.ts';
import { Repo } from './repo.ts';

const DEPLOY_MS = 480_000;
const cluster = useCluster(3);
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');
const cedar = cluster.peer('cedar');

const releases = (peer: Peer, app: string): Promise<readonly ReleaseResource[]> =>
  peer.json(['releases', '-a', app]);

async function create(app: string, files: Readonly<Record<string, string>>, from?: string): Promise<Repo> {
  await ash.kith(['apps:create', app, '--no-remote']);
  return Repo.create(join(cluster.dir, 'source', app), files, from);
}

const answer = async (peer: Peer, app: string, expected: string, path = '/'): Promise<void> => {
  await eventually(
    async () => {
      const { status, body } = await peer.request(app, path);
      if (status === 200 && body.includes(expected)) return true;
      throw new Error(`"${peer.name}" answered ${status}: ${body.slice(0, 200)}`);
    },
    { withinMs: WAIT_MS },
  );
};

test(
  'the bundled app is pushed to one peer, its next version to another, and every peer serves each',
  { timeout: DEPLOY_MS },
  async () => {
    const repo = await create('hello', {}, join(ROOT, 'samples', 'hello'));
    const { stderr } = must(await repo.push(ash, 'hello'));
    for (const line of [
      'Compressing source files... done.',
      '-----> Node.js app detected',
      '-----> Build succeeded!',
      '       3 peers hold the slug',
      '       Released v3',
      'Verifying deploy... done.',
    ])
      expect(stderr).toContain(`remote: ${line}`);
    expect(stderr).not.toContain('npm warn');
    for (const peer of cluster.peers) await answer(peer, 'hello', 'of release v3');

    const web = (await repo.git('show', 'HEAD:web.js')).replace('Hello from Kith', 'Hello again');
    await repo.commit({ 'web.js': web });
    await repo.git('checkout', '-q', '-b', 'feature');
    const second = must(await repo.push(cedar, 'hello', 'feature:main'));
    expect(second.stderr).toContain('Released v4');
    for (const peer of cluster.peers) await answer(peer, 'hello', 'Hello again');
  },
);

test(
  'a push of any branch deploys as main or as master, and one to elsewhere deploys nothing',
  { timeout: DEPLOY_MS },
  async () => {
    const repo = await create('branches', { Procfile: 'web: python3 -m http.server $PORT', page: 'one' });
    const elsewhere = must(await repo.push(birch, 'branches', 'HEAD:topic'));
    expect(elsewhere.stderr).toContain('Pushed to neither main nor master: nothing was built.');
    expect(await releases(cedar, 'branches')).toHaveLength(2);
    must(await repo.push(birch, 'branches', 'HEAD:master'));
    await answer(cedar, 'branches', 'one', '/page');
    await repo.commit({ page: 'two' });
    must(await repo.push(cedar, 'branches', 'HEAD:master'));
    await answer(ash, 'branches', 'two', '/page');
  },
);

test('what a build says is seen while it builds', { timeout: DEPLOY_MS }, async () => {
  // The build waits for an answer that comes only once its line was seen here.
  const { promise: seen, resolve: see } = Promise.withResolvers<void>();
  const gate = createServer((_, response) => void seen.then(() => response.end()));
  gate.listen(0, '127.0.0.1');
  await once(gate, 'listening');
  try {
    const { port } = gate.address() as AddressInfo;
    const build = `echo early; node -e "fetch('http://127.0.0.1:${port}').then(() => console.log('late'))"`;
    const repo = await create('streams', {
      Procfile: 'worker: sleep 1000',
      'package.json': JSON.stringify({ engines: { node: '24.x' }, scripts: { build } }),
    });
    const push = repo.startPush(birch, 'streams', (line) => /remote: +early/.test(line) && see());
    expect(await push).toMatch(/early[\s\S]*late[\s\S]*Released v3/);
  } finally {
    gate.close();
    gate.closeAllConnections();
  }
});

test('a build that fails refuses the push and changes nothing', { timeout: DEPLOY_MS }, async () => {
  const repo = await create('fails', { Procfile: 'web: python3 -m http.server $PORT', page: 'one' });
  const deployed = await repo.git('rev-parse', 'HEAD');
  must(await repo.push(ash, 'fails'));
  const [before] = await formationMet(birch, 'fails', 1);

  await repo.commit({ 'package.json': '{ "scripts": ', page: 'two' });
  const refused = await repo.push(birch, 'fails');
  expect(refused.status).not.toBe(0);
  expect(refused.stderr).toContain('remote:  !     Cannot read package.json: it is no valid JSON.');
  expect(refused.stderr).toContain('remote:  !     Push failed');
  expect(refused.stderr).toContain('[remote rejected] HEAD -> main');

  expect((await releases(cedar, 'fails')).map(({ version }) => version)).toContain(3);
  expect(await releases(cedar, 'fails')).toHaveLength(3);
  expect((await formationMet(birch, 'fails', 1))[0]?.id).toBe(before?.id);
  await answer(cedar, 'fails', 'one', '/page');
  expect(await repo.refsAt(cedar, 'fails')).toContain(deployed.trim());
  // How a build went is written down after it, and for a moment nobody knows it.
  await eventually(
    async () => {
      const [build] = await cedar.json<readonly { status: string }[]>(['builds', '-a', 'fails']);
      expect(build?.status).toBe('failed');
      return true;
    },
    { withinMs: WAIT_MS, everyMs: 100 },
  );

  await repo.commit({ 'package.json': null, page: 'three' });
  must(await repo.push(birch, 'fails'));
  await answer(cedar, 'fails', 'three', '/page');
});

test('what .slugignore names is neither built nor run', { timeout: DEPLOY_MS }, async () => {
  const repo = await create('ignores', {
    Procfile: 'web: python3 -m http.server $PORT',
    '.slugignore': '*.psd\n/docs\n',
    'art/logo.psd': 'large',
    'docs/manual.md': 'long',
    'keep/docs/note.md': 'kept',
  });
  must(await repo.push(ash, 'ignores'));
  const files = await cedar.kith(['run', '-a', 'ignores', '--', 'find', '.', '-type', 'f']);
  expect(files).toContain('./keep/docs/note.md');
  expect(files).not.toMatch(/logo\.psd|manual\.md/);
});

test('a Python app gets the wheels it brings', { timeout: DEPLOY_MS }, async () => {
  const repo = await create('snake', {
    Procfile: 'web: python3 web.py',
    'requirements.txt': 'greeter==1.0\n',
    'web.py': `import os, http.server, greeter
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(greeter.TEXT.encode())
http.server.HTTPServer(('', int(os.environ['PORT'])), Page).serve_forever()
`,
    'make-wheel.py': `import zipfile
info = 'greeter-1.0.dist-info/'
with zipfile.ZipFile('wheels/greeter-1.0-py3-none-any.whl', 'w') as wheel:
    wheel.writestr('greeter.py', "TEXT = 'Hello from a wheel'")
    wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: greeter\\nVersion: 1.0\\n')
    wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: hand\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(info + 'RECORD', 'greeter.py,,\\n' + info + 'METADATA,,\\n' + info + 'WHEEL,,\\n' + info + 'RECORD,,\\n')
`,
    'wheels/README': 'Wheels that pip would otherwise download.',
  });
  must(await run('python3', ['make-wheel.py'], { cwd: repo.dir }));
  await repo.commit({});
  const { stderr } = must(await repo.push(birch, 'snake'));
  expect(stderr).toContain('-----> Python app detected');
  await answer(cedar, 'snake', 'Hello from a wheel');
});

test('a folder with an index.html is a site', { timeout: DEPLOY_MS }, async () => {
  const repo = await create('site', { 'index.html': '<h1>A site</h1>', 'style.css': 'h1 { color: green }' });
  const { stderr } = must(await repo.push(cedar, 'site'));
  expect(stderr).toContain('-----> Static site app detected');
  await answer(ash, 'site', '<h1>A site</h1>');
  await answer(birch, 'site', 'color: green', '/style.css');
});

test('a Go app is built with the modules it brings', { timeout: DEPLOY_MS }, async () => {
  const repo = await create('gopher', {
    'go.mod': 'module example.com/gopher\n\ngo 1.19\n\nrequire example.com/greeter v1.0.0\n',
    'main.go': `package main

import (
	"fmt"
	"net/http"
	"os"

	"example.com/greeter"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, greeter.Text) })
	if err := http.ListenAndServe(":"+os.Getenv("PORT"), nil); err != nil {
		panic(err)
	}
}
`,
    'vendor/modules.txt': '# example.com/greeter v1.0.0\n## explicit; go 1.19\nexample.com/greeter\n',
    'vendor/example.com/greeter/greeter.go':
      'package greeter\n\nconst Text = "Hello from a vendored module"\n',
  });
  const { stderr } = must(await repo.push(birch, 'gopher'));
  expect(stderr).toContain('-----> Go app detected');
  await answer(cedar, 'gopher', 'Hello from a vendored module');
});

const PACK = {
  'bin/detect': '#!/bin/sh\necho Own\n',
  'bin/compile':
    '#!/bin/sh\necho "-----> The app\'s own pack"\necho made > "$1/page-$(cat "$(dirname "$0")/../word")"\n',
  'bin/release': '#!/bin/sh\necho "default_process_types:"\necho "  web: python3 -m http.server \\$PORT"\n',
};

async function createPack(word: string): Promise<Repo> {
  const pack = await Repo.create(join(cluster.dir, 'packs', word), { ...PACK, word });
  await pack.git('update-index', '--chmod=+x', 'bin/detect', 'bin/compile', 'bin/release');
  await pack.git('checkout', '-q', '-f', 'HEAD');
  must(await run('chmod', ['+x', 'bin/detect', 'bin/compile', 'bin/release'], { cwd: pack.dir }));
  await pack.commit({ version: '1' });
  return pack;
}

test('buildpacks are set and added by name, by path and by git URL', { timeout: DEPLOY_MS }, async () => {
  const byPath = await createPack('path');
  const byUrl = await createPack('url');
  await using web = await serveFolder(join(byUrl.dir, '.git'));
  await byUrl.git('update-server-info');

  const repo = await create('packed', { 'index.html': 'one' });
  await ash.kith(['buildpacks:set', byPath.dir, '-a', 'packed']);
  await birch.kith(['buildpacks:add', `${web.url}/pack.git`, '-a', 'packed']);
  await cedar.kith(['buildpacks:add', '--index', '1', 'heroku/static', '-a', 'packed']);
  expect(await ash.kith(['buildpacks', '-a', 'packed'])).toMatch(/static[\s\S]*packs\/path[\s\S]*pack\.git/);
  const { stderr } = must(await repo.push(birch, 'packed'));
  expect(stderr).toMatch(/Serving "\."[\s\S]*own pack[\s\S]*own pack/);
  await answer(cedar, 'packed', 'made', '/page-path');
  await answer(cedar, 'packed', 'made', '/page-url');
});

test('a slug is on three peers before its release is seen anywhere', { timeout: DEPLOY_MS }, async () => {
  const repo = await create('spread', { Procfile: 'worker: sleep 1000', page: 'one' });
  const known = new Map(cluster.peers.map((peer) => [peer, new Set(blobsOf(peer))]));
  const push = repo.push(ash, 'spread');
  await eventually(async () => (await releases(cedar, 'spread')).length === 3, { withinMs: WAIT_MS });
  const fresh = cluster.peers.map((peer) => blobsOf(peer).filter((name) => !known.get(peer)?.has(name)));
  must(await push);
  const [release] = (await releases(cedar, 'spread')).filter(({ version }) => version === 3);
  expect(release?.slug).not.toBeNull();
  const onAll = fresh[0]?.filter((name) => fresh.every((names) => names.includes(name))) ?? [];
  expect(onAll.length).toBeGreaterThan(0);
});

function blobsOf(peer: Peer): readonly string[] {
  return readdirSync(join(peer.dir, 'blobs'));
}

/** A folder on the web, as any web server shows a git repository to clone. */
async function serveFolder(dir: string): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://x').pathname.replace(/^\/pack\.git/, '');
    readFile(join(dir, path)).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
