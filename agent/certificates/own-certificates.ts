import type { AppId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { CertTable, TlsPair } from '../../src/routing/choose-certificate.ts';

/** Makes a certificate for these host names by the cluster's own authority. */
export type Issue = (names: readonly string[]) => Promise<TlsPair>;

/**
 * The cluster's own certificates for the names that apps have in it. One for each app: clients refuse a wildcard
 * directly below a top-level name (`*.localhost`), and one certificate with all names would tell everybody what runs here.
 */
export class OwnCertificates {
  readonly #suffixes: readonly string[];
  readonly #ofApps = new Map<AppId, { readonly name: string; readonly pair: TlsPair }>();
  #fallback: TlsPair | null = null;

  constructor(suffixes: readonly string[]) {
    this.#suffixes = suffixes;
  }

  /** Issues what is missing; a renamed app gets another one. */
  async follow(apps: readonly App[], issue: Issue): Promise<Pick<CertTable, 'ofApps' | 'fallback'>> {
    this.#fallback ??= await issue(this.#suffixes.flatMap((suffix) => [suffix, `*.${suffix}`]));
    const live = new Set(apps.map(({ id }) => id));
    for (const id of this.#ofApps.keys()) if (!live.has(id)) this.#ofApps.delete(id);
    for (const { id, name } of apps) {
      if (this.#ofApps.get(id)?.name === name) continue;
      const pair = await issue(this.#suffixes.map((suffix) => `${name}.${suffix}`));
      this.#ofApps.set(id, { name, pair });
    }
    const ofApps = Object.fromEntries([...this.#ofApps].map(([id, { pair }]) => [id, pair]));
    return { ofApps, fallback: this.#fallback };
  }
}
