import { parseDrainUrl } from '../../src/drain-url.ts';
import { PlatformError } from '../../src/errors.ts';
import type {
  AddonProvider,
  AddonService,
  BuiltInProvider,
  ProvisionRequest,
} from '../../src/shell/addon-provider.ts';

const ID = 'kith-drain';

const SERVICE: AddonService = {
  id: ID,
  name: 'Kith Drain',
  prefix: 'KITH_DRAIN',
  configVars: [],
  plans: [
    {
      name: 'url',
      humanName: 'URL',
      description: "Sends the app's log to the syslog or HTTPS receiver of --url",
      cents: 0,
    },
  ],
  isBuiltIn: true,
};

/**
 * An add-on that is nothing but a log drain, to where `addons:create kith-drain --url syslog+tls://HOST:PORT` says. What
 * there is of it is in the ledger, so that there is nothing to make twice and nothing to take away.
 */
export function drain(): BuiltInProvider {
  return { service: SERVICE, provider: PROVIDER, settings: {} };
}

const PROVIDER: AddonProvider = {
  asksAgain: false,
  async provision({ uuid, options }) {
    const logDrainUrl = urlOf(options);
    return { state: 'provisioned', id: uuid, config: {}, message: null, logDrainUrl };
  },
  async changePlan() {
    return { config: null, message: null };
  },
  async deprovision() {},
};

/** @throws PlatformError `invalid_params` */
function urlOf({ url }: ProvisionRequest['options']): string {
  if (url === undefined) {
    throw new PlatformError('invalid_params', 'Cannot make a drain to nowhere: there is no option "url"', {
      hint: 'Try `kith addons:create kith-drain -- --url syslog+tls://HOST:PORT`',
    });
  }
  parseDrainUrl(url);
  return url;
}
