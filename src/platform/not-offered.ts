import { PlatformError } from '../errors.ts';

/** Of Heroku's API, by the first words of a path: what is not to be had here, and what to do instead. */
const NOT_OFFERED: readonly { readonly path: RegExp; readonly what: string; readonly instead: string }[] = [
  {
    path: /\/webhooks|\/webhook-/,
    what: 'webhooks',
    instead: 'A log drain tells of releases, builds and dynos as they happen: `drains:add`',
  },
  {
    path: /^\/(spaces|vpn-connections|peerings|peering-info)|\/(inbound|outbound)-ruleset/,
    what: 'private spaces',
    instead: 'Every cluster is private: its peers are your own machines, see `kith peers`',
  },
  {
    path: /^\/enterprise-accounts|\/identity-providers|\/preferences|\/allowed-addon-services/,
    what: 'enterprise accounts',
    instead: 'Who may do what is said by roles and permissions: `members` and `access`',
  },
  {
    path: /\/invoices?$|\/credits|\/invoice-address|\/payment|\/account-quota|\/get-quota|\/usage\//,
    what: 'bills and quotas',
    instead: 'Nothing is charged for on machines of your own',
  },
  { path: /\/keys(\/|$)/, what: 'SSH keys', instead: 'git goes over HTTPS with a token: `git:remote`' },
  {
    path: /\/telemetry-drains/,
    what: 'telemetry drains',
    instead: 'Logs go out by `drains:add`',
  },
  {
    path: /\/test-(runs|cases|nodes)|^\/ci|\/test-run/,
    what: 'test runs',
    instead: 'Run tests in a one-off dyno: `kith run`',
  },
  { path: /\/oci-images/, what: 'image uploads', instead: 'Push a Dockerfile: the peer builds it' },
  {
    path: /\/sms-number|\/two-factor|\/recovery-codes|\/password-resets|\/signup|\/user-preferences/,
    what: 'accounts with passwords',
    instead: 'A user is whoever holds a token: `authorizations:create`',
  },
];

/** What to tell of a path that no endpoint has. */
export function noSuchEndpoint(method: string, path: string): PlatformError {
  const known = NOT_OFFERED.find((each) => each.path.test(path));
  if (known === undefined) {
    return new PlatformError(
      'not_found',
      `The requested API endpoint was not found: ${method} "${path.slice(0, 200)}"`,
      { hint: '`GET /schema` lists those there are' },
    );
  }
  return new PlatformError('not_found', `Kith does not offer ${known.what}`, { hint: known.instead });
}
