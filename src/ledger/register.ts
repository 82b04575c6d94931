import type { OpId } from '../ids.ts';
import { compareStamps } from './hlc.ts';
import type { Hlc } from './hlc.ts';

export type Write<T> = { readonly id: OpId; readonly hlc: Hlc; readonly value: T };

/**
 * One replicated value: the writes that no other write has seen, latest first. The first counts; the others lost to
 * it by time and id alone, and the next write names them all. Thus a write beats everything in its past, however far
 * in the future a clock there was.
 */
export type Register<T> = readonly Write<T>[];

/** Adds a write that replaces `parents`, those of them that are in the register. Parents must have been added before. */
export function writeRegister<T>(
  register: Register<T> | undefined,
  write: Write<T>,
  parents: readonly OpId[],
): Register<T> {
  if (register === undefined || register.length === 0) return [write];
  const unseen = register.filter((other) => !parents.includes(other.id));
  return [...unseen, write].sort((a, b) => compareStamps(b, a));
}

/** What a next write names as parents. */
export function headsOf(register: Register<unknown> | undefined): readonly OpId[] {
  return (register ?? []).map((write) => write.id);
}
