import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { buffer } from 'node:stream/consumers';

/**
 * A registry of one image with one layer, `localhost:PORT/stack:tiny`, as a program of its own. It says its port on stdout.
 * The first half of the layer is sent at once, and said (`half`); the rest once a line comes in on stdin. For ever after, all
 * is sent at once.
 * @see https://distribution.github.io/distribution/spec/api/
 */
const { values } = parseArgs({ options: { layerMiB: { type: 'string', default: '8' } } });
const CONFIG = 'application/vnd.docker.container.image.v1+json';
const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';

const tar = pack();
tar.entry({ name: 'content' }, Buffer.alloc(Number(values.layerMiB) * 1024 ** 2, 'layer'));
tar.finalize();
const unpacked = await buffer(tar);
const layer = gzipSync(unpacked, { level: 0 });
const config = Buffer.from(
  JSON.stringify({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Cmd: ['true'] },
    rootfs: { type: 'layers', diff_ids: [digestOf(unpacked)] },
    history: [{ created_by: 'test' }],
  }),
);
const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: CONFIG, size: config.length, digest: digestOf(config) },
    layers: [{ mediaType: LAYER, size: layer.length, digest: digestOf(layer) }],
  }),
);
const go = once(process.stdin, 'data');

const server = createServer((request, response) => {
  const path = request.url ?? '';
  const send = (type: string, bytes: Buffer): void => {
    response.writeHead(200, {
      'Content-Type': type,
      'Content-Length': bytes.length,
      'Docker-Content-Digest': digestOf(bytes),
    });
    if (request.method === 'HEAD') response.end();
    else if (bytes === layer) void sendInHalves();
    else response.end(bytes);
  };
  const sendInHalves = async (): Promise<void> => {
    const half = Math.floor(layer.length / 2);
    response.write(layer.subarray(0, half), () => process.stdout.write('half\n'));
    await go;
    response.end(layer.subarray(half));
  };
  const known = [config, layer].find((bytes) => path === `/v2/stack/blobs/${digestOf(bytes)}`);
  if (path === '/v2/') response.end('{}');
  else if (path.startsWith('/v2/stack/manifests/')) send(MANIFEST, manifest);
  else if (known !== undefined) send('application/octet-stream', known);
  else response.writeHead(404).end();
});
server.on('clientError', (_error, socket) => socket.destroy());
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
await go;
await once(process.stdin, 'end');
server.close();
server.closeAllConnections();

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
