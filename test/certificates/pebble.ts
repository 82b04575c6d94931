import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../helpers/free-port.ts';
import { certificateFor } from '../helpers/certificates.ts';
import { eventually } from '../helpers/eventually.ts';

const PROGRAMS = ['/usr/bin/pebble', '/usr/bin/pebble-challtestsrv'];

/**
 * A real ACME server, Let's Encrypt's Pebble, on loopback. It verifies names by HTTP-01 at `front`, a port of the test's own
 * that hands its connections on to a router, as a load balancer does; and it asks a DNS of the test's own.
 */
export class Pebble implements AsyncDisposable {
  readonly #dir = mkdtempSync(join(tmpdir(), 'kith-pebble-'));
  readonly #children: ChildProcess[] = [];
  readonly #onExit = (): void => this.#kill();
  readonly #front: Server;
  readonly #held = new Set<Socket>();
  #dnsApi = 0;
  /** `https://…/dir`. */
  directory = '';
  /** PEM of who vouches for the directory, and a file with it. */
  ca = '';
  caFile = '';
  /** Where connections of the verifying server go; null: they are held. */
  router: number | null = null;

  constructor() {
    process.once('exit', this.#onExit);
    this.#front = createServer((socket) => {
      this.#held.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#held.delete(socket));
      if (this.router !== null) this.#handOn(socket, this.router);
    });
  }

  /** How many connections of the verifying server are open. */
  get held(): number {
    return this.#held.size;
  }

  /** @param validSeconds how long its certificates are good for; five years unless said */
  async start({ validSeconds }: { readonly validSeconds?: number } = {}): Promise<void> {
    const missing = PROGRAMS.find((path) => !existsSync(path));
    if (missing !== undefined) {
      throw new Error(
        `There is no ${missing} on this machine, which this test needs: \`apt-get install pebble\``,
      );
    }
    this.#front.listen(0, '127.0.0.1');
    await once(this.#front, 'listening');
    const address = this.#front.address();
    if (address === null || typeof address === 'string') throw new Error('No port');
    const [api, management, dns, dnsApi] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    const { cert, key, ca } = await certificateFor('127.0.0.1');
    const paths = ['pebble.crt', 'pebble.key', 'ca.pem', 'pebble.json'].map((name) => join(this.#dir, name));
    const [certFile = '', keyFile = '', caFile = '', config = ''] = paths;
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key, { mode: 0o600 });
    writeFileSync(caFile, ca);
    const pebble = {
      listenAddress: `127.0.0.1:${api}`,
      managementListenAddress: `127.0.0.1:${management}`,
      certificate: certFile,
      privateKey: keyFile,
      httpPort: address.port,
      tlsPort: await freePort(),
      ...(validSeconds === undefined ? {} : { certificateValidityPeriod: validSeconds }),
    };
    writeFileSync(config, JSON.stringify({ pebble }));
    const [program = '', dnsProgram = ''] = PROGRAMS;
    this.#run(dnsProgram, [
      `-dns01=127.0.0.1:${dns}`,
      `-management=127.0.0.1:${dnsApi}`,
      '-http01=',
      '-https01=',
      '-tlsalpn01=',
      '-defaultIPv6=',
      '-defaultIPv4=127.0.0.1',
    ]);
    // Orders begin anew each time, and proofs are not put off for fun.
    const env = { PEBBLE_VA_NOSLEEP: '1', PEBBLE_AUTHZREUSE: '0' };
    const child = this.#run(program, ['-config', config, '-dnsserver', `127.0.0.1:${dns}`], env);
    this.directory = `https://127.0.0.1:${api}/dir`;
    this.ca = ca;
    this.caFile = caFile;
    this.#dnsApi = dnsApi;
    await this.#answers(api, child);
    await this.#answers(dnsApi, child);
  }

  /** Has a name lead somewhere else than to the front. */
  async point(host: string, address: string): Promise<void> {
    const of = `http://127.0.0.1:${this.#dnsApi}`;
    await fetch(`${of}/clear-a`, { method: 'POST', body: JSON.stringify({ host }) });
    await fetch(`${of}/add-a`, { method: 'POST', body: JSON.stringify({ host, addresses: [address] }) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#onExit);
    for (const socket of this.#held) socket.destroy();
    this.#front.close();
    const running = this.#children.filter((child) => child.exitCode === null && child.signalCode === null);
    const ended = running.map((child) => once(child, 'exit'));
    this.#kill();
    await Promise.all(ended);
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #handOn(socket: Socket, port: number): void {
    const router = connect(port, '127.0.0.1');
    router.on('error', () => socket.destroy());
    socket.on('close', () => router.destroy());
    socket.pipe(router).pipe(socket);
  }

  #run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'ignore'],
      env: { ...process.env, ...env },
    });
    this.#children.push(child);
    return child;
  }

  async #answers(port: number, child: ChildProcess): Promise<void> {
    const look = async (): Promise<boolean> => {
      if (child.exitCode !== null) throw new Error(`pebble ended with ${child.exitCode}`);
      const socket = connect(port, '127.0.0.1');
      try {
        await once(socket, 'connect');
        return true;
      } finally {
        socket.destroy();
      }
    };
    await eventually(look, { withinMs: 60_000 });
  }

  #kill(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }
}
