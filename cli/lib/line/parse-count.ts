import { UsageError } from './cli-error.ts';

/** A flag that says how many. @throws UsageError unless it is a whole number from 0 */
export function parseCount(flag: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (!/^\d{1,6}$/.test(text)) throw new UsageError(`--${flag} takes a number, found "${text}"`);
  return Number(text);
}
