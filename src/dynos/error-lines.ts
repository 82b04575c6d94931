/**
 * What an app's log says when a dyno misbehaves, in Heroku's words, so that whoever greps for a code finds it.
 * @see https://devcenter.heroku.com/articles/error-codes
 */
export const R10_WEB =
  'Error R10 (Boot timeout) -> Web process failed to bind to $PORT within 60 seconds of launch';
export const R10 = 'Error R10 (Boot timeout) -> Process failed to start within 60 seconds of launch';
/** Of a process type that is open at an internal port. */
export const R10_OPEN =
  'Error R10 (Boot timeout) -> Process failed to bind to $PORT within 60 seconds of launch';
export const R12 =
  'Error R12 (Exit timeout) -> At least one process failed to exit within 30 seconds of SIGTERM';
export const R13 = 'Error R13 (Attach error) -> Failed to attach to process';
export const R14 = 'Error R14 (Memory quota exceeded)';
export const R15 = 'Error R15 (Memory quota vastly exceeded)';
export const R16 =
  'Error R16 (Detached) -> An attached process is not responding to SIGHUP after its external connection was closed.';

export function R99(reason: string): string {
  return `Error R99 (Platform error) -> Failed to launch the dyno: ${reason}`;
}

/** `Process running mem=600M(117.2%)`: what a dyno uses, and how much of its quota that is. */
export function memoryLine(usedMiB: number, quotaMiB: number): string {
  return `Process running mem=${Math.round(usedMiB)}M(${((100 * usedMiB) / quotaMiB).toFixed(1)}%)`;
}
