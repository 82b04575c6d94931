import type { Logger } from 'pino';
import type { AppId, CertId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import { digest } from '../../src/ledger/codec.ts';
import type { Cert } from '../../src/ledger/domains/cert-types.ts';
import type { View } from '../../src/ledger/view.ts';
import type { CertTable, ServedCert, TlsPair } from '../../src/routing/choose-certificate.ts';
import { certKeyName } from '../lib/cert-key-name.ts';
import type { Tasks } from '../lib/tasks.ts';
import { OwnCertificates, type Issue } from './own-certificates.ts';

export type CertFeedOptions = {
  /** Opens what was sealed; throws while the data key is not here yet. */
  readonly open: (app: AppId, name: string, sealed: Uint8Array) => string;
  readonly send: (table: CertTable) => void;
  /** `APP.<suffix>` serves the app named APP. */
  readonly suffixes: readonly string[];
  readonly tasks: Tasks;
  readonly log: Logger;
};

/** Keeps the router in certificates: those of the ledger, opened here, and the cluster's own for all other names. */
export class CertFeed {
  readonly #options: CertFeedOptions;
  readonly #own: OwnCertificates;
  /** What the table that was sent last was made from; null before the first. */
  #made: string | null = null;
  /** How many of its keys were still to come. */
  #unopened = 0;
  #isMaking = false;
  #wanted: { readonly view: View; readonly issue: Issue } | null = null;
  /** An app that did not change is the same object. */
  readonly #marks = new WeakMap<App, string>();

  constructor(options: CertFeedOptions) {
    this.#options = options;
    this.#own = new OwnCertificates(options.suffixes);
  }

  /**
   * Call after each change.
   * @param issue makes a certificate by the cluster's authority; null while its key is not here. Nothing is sent before
   *   that, so that a router which outlived the last agent goes on with what it has
   */
  follow(view: View, issue: Issue | null): void {
    if (issue === null || this.#wanted?.view.apps === view.apps) return;
    this.#wanted = { view, issue };
    if (this.#isMaking) return;
    this.#isMaking = true;
    this.#options.tasks.run('send certificates', async () => {
      try {
        while (await this.#make());
      } catch (error) {
        this.#wanted = null; // Tried again after the next change.
        throw error;
      } finally {
        this.#isMaking = false;
      }
    });
  }

  /** @returns whether there is more to do */
  async #make(): Promise<boolean> {
    const wanted = this.#wanted;
    if (wanted === null) return false;
    const apps = [...wanted.view.apps.values()].filter(({ destroyed }) => !destroyed);
    const ofDomains = domainsWithCert(apps, wanted.view);
    const made = JSON.stringify([apps.map((app) => this.#markOf(app)), ofDomains]);
    if (made !== this.#made || this.#unopened > 0) {
      const { certs, unopened } = this.#certsOf(apps);
      if (made !== this.#made || unopened !== this.#unopened) {
        const own = await this.#own.follow(apps, wanted.issue);
        this.#options.send({ certs, ofDomains, ...own });
        this.#made = made;
        this.#unopened = unopened;
      }
    }
    if (this.#wanted !== wanted) return true;
    // Keys come without a change of any app.
    if (this.#unopened > 0) this.#wanted = null;
    return false;
  }

  /** All of an app, its domains apart, that the table is made from. */
  #markOf(app: App): string {
    const known = this.#marks.get(app);
    if (known !== undefined) return known;
    const certs = [...app.certs.values()].map(({ id, chain, key }) => [id, digest(chain), digest(key)]);
    const mark = digest(JSON.stringify([app.id, app.name, certs]));
    this.#marks.set(app, mark);
    return mark;
  }

  #certsOf(apps: readonly App[]): { readonly certs: Record<CertId, ServedCert>; readonly unopened: number } {
    const certs: Record<CertId, ServedCert> = {};
    let unopened = 0;
    for (const app of apps) {
      for (const cert of [...app.certs.values()].sort((a, b) => b.facts.expiresAt - a.facts.expiresAt)) {
        const key = this.#keyOf(app.id, cert);
        if (key === null) unopened += 1;
        certs[cert.id] = { app: app.id, names: cert.facts.names, cert: cert.chain, key };
      }
    }
    return { certs, unopened };
  }

  #keyOf(app: AppId, cert: Cert): TlsPair['key'] | null {
    try {
      return this.#options.open(app, certKeyName(cert.id), cert.key);
    } catch (err) {
      this.#options.log.debug({ app, cert: cert.id, err }, 'key of a certificate cannot be opened yet');
      return null;
    }
  }
}

/** Of a domain that two sides of a split gave to two apps, the one that holds it has a say. */
function domainsWithCert(apps: readonly App[], view: View): Record<string, CertId> {
  const ofDomains: Record<string, CertId> = {};
  for (const { id, domains } of apps) {
    for (const { hostname, cert } of domains.values()) {
      if (cert !== null && view.domains.get(hostname) === id) ofDomains[hostname] = cert;
    }
  }
  return ofDomains;
}
