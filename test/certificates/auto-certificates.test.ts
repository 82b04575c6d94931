import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AutoCertificates } from '../../agent/certificates/auto-certificates.ts';
import type { AppId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { Command } from '../../src/ledger/command.ts';
import { certificateDuties } from '../../src/ledger/domains/certificate-duties.ts';
import type { Duty } from '../../src/ledger/duty.ts';
import { answerChallenge } from '../../src/routing/answer-challenge.ts';
import { LedgerHost } from '../api/ledger-host.ts';
import { certificateFor } from '../helpers/certificates.ts';
import { eventually } from '../helpers/eventually.ts';
import { Pebble } from './pebble.ts';

const WWW = 'www.example.com';
const APP = '11111111-2222-4333-8444-555555555555' as AppId;
const LONG = { timeout: 180_000 };
const WAIT = { withinMs: 60_000 };
/** What the issuers have said. */
const lines: string[] = [];
const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
const ACCOUNT_KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ format: 'pem', type: 'pkcs8' })
  .toString();
const pebble = new Pebble();

beforeAll(() => pebble.start());
afterAll(() => pebble[Symbol.asyncDispose]());

/** A ledger whose app wants a certificate from this authority, and the answers to challenges that it says. */
class Ordering implements AsyncDisposable {
  readonly host = new LedgerHost();
  readonly #stop = new AbortController();
  readonly #work: Promise<void>[] = [];
  readonly #router: Server;

  constructor(directory: string, ca: string | null) {
    this.#router = createServer(({ url = '', headers: { host = '' } }, response) => {
      const { challenges = [] } = [...this.app.acm.domains.values()][0] ?? {};
      const table = { challenges: { [WWW]: challenges } } as never;
      const found = answerChallenge(table, { method: 'GET', target: url, host, body: 0 }, Date.now());
      response.writeHead(found === null ? 404 : 200).end(found ?? '');
    });
    const key = this.host.seal('cluster', '', ACCOUNT_KEY);
    this.write({ type: 'acme.set', directory, email: null, ca, key });
    this.write({ type: 'app.create', app: APP, name: 'blog', fallbackName: 'blog' });
    this.write({ type: 'domain.add', app: APP, hostname: WWW, domain: randomUUID() });
    this.write({ type: 'acm.set', app: APP, on: true });
  }

  get app(): App {
    const app = this.host.view().apps.get(APP);
    if (app === undefined) throw new Error('no app');
    return app;
  }

  get chain(): string | undefined {
    return [...this.app.certs.values()][0]?.chain;
  }

  get failure() {
    return [...this.app.acm.domains.values()][0]?.failure;
  }

  async listen(): Promise<number> {
    this.#router.listen(0, '127.0.0.1');
    await once(this.#router, 'listening');
    return (this.#router.address() as AddressInfo).port;
  }

  write(command: Command): void {
    this.host.write(command, { user: 'kith', request: null });
  }

  /** One more peer that thinks that it is the issuer. */
  begin(now: () => number = Date.now): void {
    const [duty] = certificateDuties(this.host.view());
    if (duty === undefined) throw new Error('no duty');
    this.#work.push(this.#carry(new AutoCertificates({ host: () => this.host, log, now }), duty));
  }

  async #carry(issuer: AutoCertificates, duty: Duty): Promise<void> {
    const { signal } = this.#stop;
    await issuer.work(duty, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#router.close();
    this.#router.closeAllConnections();
    await Promise.all(this.#work);
  }
}

test(
  'two issuers at one time do no harm: there is a certificate, no challenge is left, and nothing has failed',
  LONG,
  async () => {
    await using ordering = new Ordering(pebble.directory, pebble.ca);
    pebble.router = await ordering.listen();
    const issued = (): number => lines.filter((line) => line.includes('"certificate issued"')).length;
    ordering.begin();
    ordering.begin();
    await eventually(() => issued() === 2, WAIT);
    expect(ordering.app.acm.domains.size).toBe(0);
    expect(ordering.app.certs.size).toBe(1);
  },
);

test('the next one, years later, renews it in its place, with another key', LONG, async () => {
  await using ordering = new Ordering(pebble.directory, pebble.ca);
  pebble.router = await ordering.listen();
  ordering.begin();
  const first = await eventually(() => ordering.chain, WAIT);
  const [before] = ordering.app.certs.values();
  ordering.begin(() => Date.now() + 4 * 365 * 24 * 3_600_000);
  await eventually(() => ordering.chain !== first, WAIT);
  const [after] = ordering.app.certs.values();
  expect(after).toMatchObject({ id: before?.id, name: before?.name, acm: before?.acm });
  expect(after?.key).not.toEqual(before?.key);
});

test(
  'an authority that asks for patience is heard: the ledger says until when, for whoever is next',
  LONG,
  async () => {
    const { cert, key, ca } = await certificateFor('127.0.0.1');
    const asked: string[] = [];
    const server = createTlsServer({ cert, key }, ({ url = '' }, response) => {
      asked.push(url);
      const problem = {
        type: 'urn:ietf:params:acme:error:rateLimited',
        detail: 'too many\r\n\u001b[2Jcertificates',
      };
      response.writeHead(429, { 'retry-after': '3600' }).end(JSON.stringify(problem));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await using ordering = new Ordering(`https://127.0.0.1:${port}/dir`, ca);
    ordering.begin();
    const { reason, notBefore } = await eventually(() => ordering.failure, WAIT);
    expect(reason).toBe('The authority refuses: too many [2Jcertificates');
    expect(notBefore).toBeGreaterThan(Date.now() + 3_500_000);
    expect(asked).toEqual(['/dir']);
    server.close();
  },
);

test.for([
  ['https://127.0.0.1:1/dir', 'connect ECONNREFUSED'],
  ['pebble', 'unable to verify the first certificate|self-signed certificate'],
])('what is wrong with the way to the authority is told: %s', LONG, async ([directory, reason = '']) => {
  await using ordering = new Ordering(directory === 'pebble' ? pebble.directory : (directory ?? ''), null);
  ordering.begin();
  expect((await eventually(() => ordering.failure, WAIT)).reason).toMatch(
    new RegExp(`cannot be reached at "https://.*": .*(${reason})`),
  );
});
