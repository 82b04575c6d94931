import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Received } from './rsyslog.ts';

/** An app whose dynos count, ten lines a second each, from 1 at each start. */
export function writeCounter(dir: string): string {
  mkdirSync(dir, { recursive: true });
  const count = 's=$(date +%s%N); i=0; while :; do i=$((i+1)); echo "start $s line $i"; sleep 0.1; done';
  writeFileSync(join(dir, 'Procfile'), `counter: ${count}\n`);
  return dir;
}

/** The numbers that arrived, by the start of a dyno that counted them. */
export function starts(received: readonly Received[]): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  for (const { process, text } of received) {
    const [, start, number] = /^start (\d+) line (\d+)$/.exec(text) ?? [];
    if (start === undefined) continue;
    const key = `${process} ${start}`;
    found.set(key, [...(found.get(key) ?? []), Number(number)]);
  }
  return found;
}

/** How many lines came that had come before. */
export function repeated(received: readonly Received[]): number {
  const all = [...starts(received).values()];
  return all.reduce((sum, numbers) => sum + numbers.length - new Set(numbers).size, 0);
}

/** Between the first and the last line of each dyno's start that arrived, all arrived. */
export function expectNoHoles(received: readonly Received[]): void {
  for (const [start, numbers] of starts(received)) {
    const seen = new Set(numbers);
    const [low, high] = [Math.min(...seen), Math.max(...seen)];
    const missing = Array.from({ length: high - low + 1 }, (_, i) => low + i).filter((n) => !seen.has(n));
    expect({ start, missing }).toEqual({ start, missing: [] });
  }
}
