import { ERROR_CHARS_MAX, ERRORS_MAX, REASON_CHARS_MAX } from '../../src/ledger/pipelines/setup-bodies.ts';
import type { SetupEnd } from '../../src/ledger/pipelines/setup-types.ts';

/** Says why a setup cannot be, as far as the ledger takes it: the app goes with it. */
export class SetupFailure extends Error {
  readonly manifestErrors: readonly string[];
  readonly postdeploy: SetupEnd['postdeploy'];

  constructor(
    message: string,
    manifestErrors: readonly string[] = [],
    postdeploy: SetupEnd['postdeploy'] = null,
  ) {
    super(message.slice(0, REASON_CHARS_MAX));
    this.manifestErrors = manifestErrors.slice(0, ERRORS_MAX).map((each) => each.slice(0, ERROR_CHARS_MAX));
    this.postdeploy = postdeploy;
  }
}
