// The web process: says hello, who it is, and what it was told. SIGTERM lets requests under way finish.
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import ms from 'ms';

const { PORT = '5000', DYNO = 'web.0', GREETING = 'Hello from Kith' } = process.env;
const release = process.env.HEROKU_RELEASE_VERSION ?? 'v?';
const startedAt = Date.now();

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://hello');
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  if (url.pathname === '/') {
    response.end(`${GREETING}\ndyno ${DYNO} of release ${release}, up ${ms(Date.now() - startedAt)}\n`);
  } else if (url.pathname === '/slow') {
    // For seeing that a deploy cuts no request short: /slow?ms=5000
    const wait = Math.min(Number(url.searchParams.get('ms')) || 1_000, 25_000);
    await sleep(wait);
    response.end(`${GREETING}, ${ms(wait)} later\ndyno ${DYNO} of release ${release}\n`);
  } else if (url.pathname === '/health') {
    response.end('ok\n');
  } else {
    response.writeHead(404).end('Nothing here\n');
  }
});

// Longer than a router keeps an idle connection, so that it is never we who close one under a request.
server.keepAliveTimeout = 95_000;
server.listen(Number(PORT), () => console.log(`listening on port ${PORT}`));

process.once('SIGTERM', () => {
  console.log('SIGTERM: finishing requests under way');
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
