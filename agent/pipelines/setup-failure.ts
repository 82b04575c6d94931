import type { Setup } from '../../src/ledger/pipelines/setup-types.ts';

/** What the ledger takes: an app.json can have more flaws than that. */
const REASON_CHARS_MAX = 2_000;
const ERROR_CHARS_MAX = 1_000;
const ERRORS_MAX = 100;

/** Says why a setup cannot be: the app goes with it. */
export class SetupFailure extends Error {
  readonly manifestErrors: readonly string[];
  readonly postdeploy: NonNullable<Setup['settled']>['postdeploy'];

  constructor(
    message: string,
    manifestErrors: readonly string[] = [],
    postdeploy: NonNullable<Setup['settled']>['postdeploy'] = null,
  ) {
    super(message.slice(0, REASON_CHARS_MAX));
    this.manifestErrors = manifestErrors.slice(0, ERRORS_MAX).map((each) => each.slice(0, ERROR_CHARS_MAX));
    this.postdeploy = postdeploy;
  }
}
