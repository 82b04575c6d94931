// Serves a folder over HTTP: GET and HEAD, index.html for folders, 404.html where there is one, no dot files.
import { createReadStream, readFileSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, sep } from 'node:path';
import { pipeline } from 'node:stream';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.txt': 'text/plain; charset=utf-8',
  '.xml': 'application/xml',
  '.pdf': 'application/pdf',
  '.wasm': 'application/wasm',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.mp4': 'video/mp4',
  '.webm': 'video/webm',
  '.mp3': 'audio/mpeg',
};
const here = import.meta.dirname;
const root = await realpath(join(here, '..', '..', readFileSync(join(here, 'root'), 'utf8')));

/** The file behind a URL path, or null. Links may not lead out of the root. */
async function find(path) {
  if (path.split('/').some((part) => part.startsWith('.')) || path.includes('\0')) return null;
  for (const candidate of [path, join(path, 'index.html'), `${path}.html`]) {
    try {
      const file = await realpath(join(root, candidate));
      const found = await stat(file);
      if ((file + sep).startsWith(root + sep) && found.isFile()) return { file, bytes: found.size };
    } catch {
      continue;
    }
  }
  return null;
}

async function answer(request, response) {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return response.writeHead(405, { allow: 'GET, HEAD' }).end();
  }
  let path;
  try {
    path = decodeURIComponent(new URL(request.url, 'http://site').pathname);
  } catch {
    return response.writeHead(400).end('Bad request\n');
  }
  const found = await find(path);
  const page = found ?? (await find('/404.html'));
  if (page === null) return response.writeHead(404, { 'content-type': 'text/plain' }).end('Not found\n');
  response.writeHead(found === null ? 404 : 200, {
    'content-type': TYPES[extname(page.file).toLowerCase()] ?? 'application/octet-stream',
    'content-length': page.bytes,
  });
  if (request.method === 'HEAD') return response.end();
  return pipeline(createReadStream(page.file), response, () => undefined);
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error);
    if (!response.headersSent) response.writeHead(500);
    response.end();
  });
});
server.keepAliveTimeout = 95_000;
server.listen(Number(process.env.PORT), () => console.log(`Serving on port ${process.env.PORT}`));
process.once('SIGTERM', () => server.close(() => process.exit(0)));
