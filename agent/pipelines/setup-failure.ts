import type { Setup } from '../../src/ledger/pipelines/setup-types.ts';

/** Says why a setup cannot be: the app goes with it. */
export class SetupFailure extends Error {
  readonly manifestErrors: readonly string[];
  readonly postdeploy: NonNullable<Setup['settled']>['postdeploy'];

  constructor(
    message: string,
    manifestErrors: readonly string[] = [],
    postdeploy: NonNullable<Setup['settled']>['postdeploy'] = null,
  ) {
    super(message);
    this.manifestErrors = manifestErrors;
    this.postdeploy = postdeploy;
  }
}
