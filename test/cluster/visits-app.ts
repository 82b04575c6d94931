import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer } from './peer.ts';

/** Counts visits in its database, through the `psql` of the machine. */
const SERVER = `import glob, os, signal, subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PSQL = sorted(glob.glob('/usr/lib/postgresql/*/bin/psql'))[-1]
SQL = 'CREATE TABLE IF NOT EXISTS visits (at timestamptz DEFAULT now())', 'INSERT INTO visits DEFAULT VALUES', 'SELECT count(*) FROM visits'

class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        words = [word for each in SQL for word in ('-c', each)]
        ran = subprocess.run([PSQL, '-qtA', os.environ['DATABASE_URL'], *words], capture_output=True, text=True)
        body = (ran.stdout.strip() if ran.returncode == 0 else ran.stderr).encode()
        self.send_response(200 if ran.returncode == 0 else 500)
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
ThreadingHTTPServer(('0.0.0.0', int(os.environ['PORT'])), Answer).serve_forever()
`;

/** An app that counts its visits in the database of its add-on. @returns its folder */
export function writeVisitsApp(dir: string): string {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'Procfile'), 'web: python3 server.py\n');
  writeFileSync(join(dir, 'server.py'), SERVER);
  return dir;
}

/** One more visit, through this peer's router. @returns how many there were */
export async function visits(peer: Peer, app: string): Promise<number> {
  const { status, body } = await peer.request(app);
  if (status !== 200) throw new Error(`${status} ${body}`);
  return Number(body);
}
