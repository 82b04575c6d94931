import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem, release } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../lib/agent-process.ts';

const PATH = join(ROOT, 'BENCHMARKS.md');

/** What a bench found, as BENCHMARKS.md shows it. */
export type Finding = {
  /** Markdown: a table, and sentences that a reader of it must know. */
  readonly body: string;
  /** Each aim, and whether this run met it. */
  readonly aims: readonly { readonly aim: string; readonly found: string; readonly isMet: boolean }[];
};

/** The machine as it was while a bench ran. */
export function machineLine(loadBefore: number): string {
  const [cpu] = cpus();
  const memoryGiB = Math.round(totalmem() / 2 ** 30);
  return [
    `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    `${cpus().length} cores of ${cpu?.model ?? 'an unknown CPU'}`,
    `${memoryGiB} GiB`,
    `Linux ${release()}`,
    `Node ${process.versions.node}`,
    `load average before ${loadBefore.toFixed(1)}, after ${(loadavg()[0] ?? 0).toFixed(1)}`,
  ].join(' · ');
}

export function renderFinding({ body, aims }: Finding, machine: string): string {
  const rows = aims.map(({ aim, found, isMet }) => `| ${aim} | ${found} | ${isMet ? 'met' : 'missed'} |`);
  const table = aims.length === 0 ? [] : ['', '| Aim | Found | |', '| --- | --- | --- |', ...rows];
  return [`_${machine}_`, '', body, ...table].join('\n');
}

/** Puts the finding between its markers; everything else in the file is a person's text. */
export function writeFinding(name: string, text: string): void {
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const file = readFileSync(PATH, 'utf8');
  const from = file.indexOf(begin);
  const to = file.indexOf(end);
  if (from === -1 || to < from)
    throw new Error(`BENCHMARKS.md has no place for "${name}": ${begin} … ${end}`);
  writeFileSync(PATH, `${file.slice(0, from + begin.length)}\n${text}\n${file.slice(to)}`);
}
