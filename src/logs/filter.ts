import type { LogFilter, LogLine } from './line.ts';

/** Whether a tail with this filter shows the line. `web` is every `web.N`, `web.1` only that one. */
export function matchesFilter(filter: LogFilter, line: Pick<LogLine, 'source' | 'process'>): boolean {
  if (filter.source !== undefined && filter.source !== line.source) return false;
  if (filter.process === undefined || filter.process === line.process) return true;
  const dot = line.process.lastIndexOf('.');
  return dot !== -1 && line.process.slice(0, dot) === filter.process;
}
