import { CliError } from './cli-error.ts';

const FOUND: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of its path is no folder',
  EISDIR: 'it is a folder',
  EACCES: 'you may not do that there',
  EPERM: 'you may not do that there',
  EROFS: 'it is on a disk that cannot be written',
  ENOSPC: 'the disk is full',
  EDQUOT: 'your part of the disk is full',
};

/** Why a file of the user's machine cannot be read, sent or written. */
export function fileError(path: string, cause: unknown): CliError {
  return new CliError(`Cannot use the file "${path}": ${fileReason(cause)}`, { cause });
}

/** In words where the system's code is a usual one. */
export function fileReason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const known = 'code' in cause && typeof cause.code === 'string' ? FOUND[cause.code] : undefined;
  return known ?? cause.message;
}
