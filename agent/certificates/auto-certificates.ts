import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { PlatformError } from '../../src/errors.ts';
import { coversName } from '../../src/covers-name.ts';
import type { CertId } from '../../src/ids.ts';
import type { Command } from '../../src/ledger/command.ts';
import { findWanted, type WantedCertificate } from '../../src/ledger/domains/certificate-duties.ts';
import { mustHaveRoom } from '../../src/ledger/domains/decide-cert.ts';
import type { Duty } from '../../src/ledger/duty.ts';
import { backOffMs, failuresKnown, failureStatus, orderDueAt } from '../../src/platform/acm.ts';
import { uuidOf } from '../../src/platform/ids.ts';
import { certName } from '../../src/platform/sni-endpoint.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import { ACME_KEY_NAME } from '../lib/acme-key-name.ts';
import { certKeyName } from '../lib/cert-key-name.ts';
import { mustBeGood } from '../lib/check-certificate.ts';
import { Turnstile } from '../lib/turnstile.ts';
import { AcmeError } from './acme-transport.ts';
import { awaitChallenge } from './await-challenge.ts';
import { orderCertificate } from './order-certificate.ts';

export type AutoCertificatesOptions = {
  readonly host: () => Pick<PeerHost, 'self' | 'view' | 'peers' | 'command' | 'seal' | 'open'>;
  readonly log: Logger;
  /** Wall ms; the machine's clock unless said. */
  readonly now?: () => number;
};

/** One order, with the tokens that the authority gave for it so far. */
type Attempt = {
  readonly wanted: WantedCertificate;
  readonly accountKey: string;
  readonly tokens: Set<string>;
};

/** Authorities take some dozens of orders a minute of one account; several peers may be at it. */
const ORDERS_AT_ONCE = 3;
/** Timers go no further than 24 days; and a machine's clock may be set. */
const SLEEP_MS_MAX = 3_600_000;
const CHALLENGE_MS = 3_600_000;
const PUBLISH_MS = 5_000;
const REASON_LENGTH_MAX = 500;

/** Orders the certificates that are this peer's duty, each when it is due, and again until there is one. */
export class AutoCertificates {
  readonly #options: AutoCertificatesOptions;
  readonly #turns = new Turnstile(ORDERS_AT_ONCE);
  readonly #now: () => number;

  constructor(options: AutoCertificatesOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /**
   * Whoever had the duty before may have died anywhere in the middle: what counts is the certificate in the ledger. If two
   * peers order at one time, there are two certificates, of which the later stays.
   */
  async work(duty: Duty, signal: AbortSignal): Promise<void> {
    const first = this.#find(duty);
    let failures = first === null ? 0 : failuresKnown(first);
    if (failures > 0) await this.#backOff(failures, signal);
    for (;;) {
      signal.throwIfAborted();
      const wanted = this.#find(duty);
      if (wanted === null) return;
      const waitMs = orderDueAt(wanted) - this.#now();
      if (waitMs > 0) {
        await sleep(Math.min(waitMs, SLEEP_MS_MAX), undefined, { signal, ref: false });
        continue;
      }
      const attempt = { wanted, accountKey: this.#accountKey(wanted), tokens: new Set<string>() };
      const error = await this.#turns.run(signal, () => this.#try(attempt, signal));
      failures = error === null ? 0 : failures + 1;
      if (error === null || this.#isFilled(duty)) continue;
      await this.#report(attempt, error, failures);
      await this.#backOff(failures, signal);
    }
  }

  #backOff(failures: number, signal: AbortSignal): Promise<void> {
    return sleep(backOffMs(failures, Math.random()), undefined, { signal, ref: false });
  }

  /** Throws while the data key is not here yet: no fault of the domain. */
  #accountKey({ acme }: WantedCertificate): string {
    return this.#options.host().open('cluster', ACME_KEY_NAME, acme.key);
  }

  #find(duty: Duty): WantedCertificate | null {
    return findWanted(this.#options.host().view(), duty);
  }

  /** Another issuer may have been faster. */
  #isFilled(duty: Duty): boolean {
    const wanted = this.#find(duty);
    return wanted === null || orderDueAt(wanted) > this.#now();
  }

  /** @returns why there is no certificate; null where there is */
  async #try(attempt: Attempt, signal: AbortSignal): Promise<Error | null> {
    try {
      await this.#order(attempt, signal);
      return null;
    } catch (error) {
      signal.throwIfAborted();
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  async #order(attempt: Attempt, signal: AbortSignal): Promise<void> {
    const host = this.#options.host();
    const { wanted, accountKey } = attempt;
    const { acme, app, domain } = wanted;
    const { hostname } = domain;
    if (wanted.cert === null) mustHaveRoom(app);
    this.#options.log.info({ app: app.id, host: hostname }, 'ordering a certificate');
    const { chain, key } = await orderCertificate({
      directory: acme.directory,
      email: acme.email,
      ca: acme.ca,
      accountKey,
      hostname,
      publish: (token, authorization) => this.#publish(attempt, token, authorization, signal),
      signal,
    });
    const { chainPem, keyPem, facts } = mustBeGood(chain, key);
    if (!facts.names.some((name) => coversName(name, hostname))) {
      throw new AcmeError(`The authority issued a certificate for ${facts.names.join(', ')}`);
    }
    const cert = certIdOf(wanted);
    await this.#command({
      type: 'acm.issue',
      app: app.id,
      domain: domain.domain,
      cert,
      name: certName(cert),
      chain: chainPem,
      key: host.seal(app.id, certKeyName(cert), keyPem),
      facts,
      over: this.#over(attempt),
    });
    this.#options.log.info({ app: app.id, host: hostname, expiresAt: facts.expiresAt }, 'certificate issued');
  }

  /** Every peer must know the answer before the authority asks: it may come to any of them. */
  async #publish(
    { wanted, tokens }: Attempt,
    token: string,
    authorization: string,
    signal: AbortSignal,
  ): Promise<void> {
    const {
      app,
      domain: { domain, hostname },
    } = wanted;
    tokens.add(token);
    const challenge = { token, authorization, expiresAt: this.#now() + CHALLENGE_MS };
    await this.#command({ type: 'acme.challenge', app: app.id, domain, challenge });
    const routers = this.#options
      .host()
      .peers()
      .flatMap(({ verdict, facts }) => (verdict === 'alive' && facts !== null ? [facts.addrs.http] : []));
    const silent = await awaitChallenge(routers, { hostname, token, authorization }, PUBLISH_MS, signal);
    if (silent.length > 0)
      this.#options.log.warn({ host: hostname, routers: silent }, 'challenge not seen at routers');
  }

  async #report(attempt: Attempt, err: Error, failures: number): Promise<void> {
    const { app, domain } = attempt.wanted;
    const { log } = this.#options;
    log.warn({ app: app.id, host: domain.hostname, failures, err }, 'certificate not ordered');
    const retryAfterMs = err instanceof AcmeError ? err.retryAfterMs : null;
    const notBefore = retryAfterMs === null ? null : this.#now() + retryAfterMs;
    const failure = {
      reason: reasonOf(err, attempt.tokens),
      status: failureStatus(failures),
      notBefore,
    };
    try {
      const over = this.#over(attempt);
      await this.#command({ type: 'acm.fail', app: app.id, domain: domain.domain, failure, over });
    } catch (error) {
      // It was removed, or turned off, meanwhile; or it is told after the next try.
      log.debug({ host: domain.hostname, err: error }, 'failure of an order not written down');
    }
  }

  /** Challenges of this order end with it, and those with them that somebody left behind long ago. */
  #over({ wanted: { app, domain }, tokens }: Attempt): readonly string[] {
    const now = this.#options.host().view().apps.get(app.id);
    const open = now?.acm.domains.get(domain.domain)?.challenges ?? [];
    return open.flatMap(({ token, expiresAt }) =>
      tokens.has(token) || expiresAt < this.#now() ? [token] : [],
    );
  }

  async #command(command: Command): Promise<void> {
    await this.#options.host().command(command, { user: 'kith', request: null });
  }
}

/** In words that stay the same while nothing changes: each order has tokens of its own. */
function reasonOf(error: Error, tokens: ReadonlySet<string>): string {
  const isExpected = error instanceof AcmeError || error instanceof PlatformError;
  let reason = isExpected ? error.message : `This went wrong at the issuing peer: ${error.message}`;
  for (const token of tokens) reason = reason.replaceAll(token, '…');
  return reason.slice(0, REASON_LENGTH_MAX);
}

/** A renewal takes its predecessor's place. The first one's id is the same for all issuers, and nobody else's. */
function certIdOf({ app, domain: { domain }, cert }: WantedCertificate): CertId {
  if (cert !== null) return cert.id;
  let id = uuidOf('ordered certificate', domain) as CertId;
  while (app.certs.has(id)) id = uuidOf('ordered certificate', id) as CertId;
  return id;
}
