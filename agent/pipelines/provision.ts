import { PlatformError } from '../../src/errors.ts';
import type { AddonWish } from '../../src/builds/app-json.ts';
import type { App } from '../../src/ledger/view.ts';

/** Has an add-on of app.json made. */
export async function provision(app: App, wish: AddonWish): Promise<void> {
  throw new PlatformError(
    'invalid_params',
    `app.json asks for the add-on "${wish.plan}", which "${app.name}" cannot get`,
  );
}
