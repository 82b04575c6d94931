import { PlatformError } from '../../src/errors.ts';

/** What to tell people when a program that this peer needs could not be started; null for any other error. */
export function missingProgram(error: unknown): PlatformError | null {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return null;
  const program = /^spawn (\S+)$/.exec(String(error.syscall))?.[1];
  if (program === undefined || (error.code !== 'ENOENT' && error.code !== 'EACCES')) return null;
  const found = error.code === 'ENOENT' ? 'it is not installed' : 'it may not be run';
  return new PlatformError('unavailable', `This peer needs the program "${program}": ${found}`, {
    hint: `Install "${program}" on that host (the PATH of its agent must name it), or ask another peer`,
    cause: error,
  });
}
