import { PlatformError } from '../errors.ts';
import type { CertId } from '../ids.ts';
import type { App } from '../ledger/apps/app-types.ts';
import type { Cert } from '../ledger/domains/cert-types.ts';
import { appRef } from './app.ts';
import type { AppRef } from './app.ts';
import { uuidOf } from './ids.ts';
import { isoTime } from './time.ts';

/** A certificate of an app, without its key, which no answer ever holds. */
export type SniEndpointResource = {
  readonly id: string;
  readonly name: string;
  readonly display_name: string | null;
  readonly app: AppRef;
  readonly certificate_chain: string;
  /** Ids of the domains that it was given to. It serves whatever other names of its app it fits, too. */
  readonly domains: readonly string[];
  readonly ssl_cert: {
    readonly id: string;
    readonly cert_domains: readonly string[];
    readonly starts_at: string;
    readonly expires_at: string;
    readonly issuer: string;
    readonly subject: string;
    /** Whether browsers know the authority that it leads to. */
    readonly 'ca_signed?': boolean;
    readonly 'self_signed?': boolean;
    /** Ordered by the platform. */
    readonly acm: boolean;
  };
  readonly created_at: string;
  readonly updated_at: string;
};

const WORDS =
  'badger bear beaver bison crane deer dolphin eagle egret falcon ferret finch fox gecko gull hare hawk heron ibex jackal ' +
  'kestrel koala lemur lynx marten mole moose newt ocelot orca osprey otter owl panda puffin quail raven robin seal ' +
  'shrew stork swan tapir tern toad trout viper walrus weasel wolf wombat wren yak zebra';

/** `otter-48213`: what a new certificate is called. By its id, so that a repeated request asks for the same. */
export function certName(id: CertId): string {
  const words = WORDS.split(' ');
  const digits = uuidOf('certificate name', id).replaceAll('-', '');
  const word = words[parseInt(digits.slice(0, 6), 16) % words.length] ?? 'otter';
  return `${word}-${String(parseInt(digits.slice(6, 12), 16) % 100_000).padStart(5, '0')}`;
}

export function sniEndpointResource(app: App, cert: Cert): SniEndpointResource {
  const { id, name, displayName, chain, facts, acm, createdAt, updatedAt } = cert;
  return {
    id,
    name,
    display_name: displayName,
    app: appRef(app),
    certificate_chain: chain,
    domains: [...app.domains.values()].flatMap((each) => (each.cert === id ? [each.domain] : [])),
    ssl_cert: {
      id: uuidOf('certificate', `${id}/${chain}`),
      cert_domains: facts.names,
      starts_at: isoTime(facts.startsAt),
      expires_at: isoTime(facts.expiresAt),
      issuer: facts.issuer,
      subject: facts.subject,
      'ca_signed?': facts.trusted,
      'self_signed?': facts.issuer === facts.subject,
      acm: acm !== null,
    },
    created_at: isoTime(createdAt),
    updated_at: isoTime(updatedAt),
  };
}

/** The certificate of an id or a name. */
export function mustFindCert(app: App, idOrName: string): Cert {
  const all = [...app.certs.values()];
  const found = all.find(({ id }) => id === idOrName) ?? all.find(({ name }) => name === idOrName);
  if (found !== undefined) return found;
  throw new PlatformError('not_found', `Couldn't find the SNI endpoint "${idOrName}" of "${app.name}".`, {
    resource: 'sni_endpoint',
    hint: 'See `kith certs` for the certificates it has',
  });
}
