import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** What one process has used so far. */
export type Usage = {
  /** Proportional set size, KiB: pages shared with others are counted in parts. */
  readonly pssKiB: number;
  /** On a CPU, all threads, ms. */
  readonly cpuMs: number;
  /** TCP payload that its open sockets have sent, and segments to estimate headers from. */
  readonly sentBytes: number;
  readonly sentSegments: number;
  readonly receivedBytes: number;
};

/** The script that a Node process runs: `agent`, `router` or `keeper`; else its program's name. */
export function roleOf(pid: number): string {
  const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  const script = args.find((arg) => arg.endsWith('/main.ts')) ?? '';
  if (script === '') return basename(args[0] ?? '');
  return script.split('/').at(-2) ?? '';
}

export function usageOf(pid: number, sockets: ReadonlyMap<number, SocketCounts>): Usage {
  const counts = sockets.get(pid) ?? { sentBytes: 0, sentSegments: 0, receivedBytes: 0 };
  return { pssKiB: pssOf(pid), cpuMs: cpuOf(pid), ...counts };
}

function pssOf(pid: number): number {
  const match = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
  return Number(match?.[1] ?? 0);
}

/** `schedstat` counts nanoseconds, where `stat` counts ticks of 10 ms. */
function cpuOf(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const ns = tasks.map((task) =>
    Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
  );
  return ns.reduce((sum, each) => sum + each, 0) / 1e6;
}

type SocketCounts = Pick<Usage, 'sentBytes' | 'sentSegments' | 'receivedBytes'>;

/** Counters of all open TCP connections by process, as the kernel keeps them (`ss` of iproute2). */
export function tcpCounts(): ReadonlyMap<number, SocketCounts> {
  const output = execFileSync('ss', ['-tinpOH'], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const counts = new Map<number, SocketCounts>();
  for (const line of output.split('\n')) {
    const field = (name: string): number => Number(new RegExp(`\\b${name}:(\\d+)`).exec(line)?.[1] ?? 0);
    const pid = Number(/pid=(\d+)/.exec(line)?.[1] ?? 0);
    const before = counts.get(pid);
    counts.set(pid, {
      sentBytes: (before?.sentBytes ?? 0) + field('bytes_sent'),
      sentSegments: (before?.sentSegments ?? 0) + field('segs_out'),
      receivedBytes: (before?.receivedBytes ?? 0) + field('bytes_received'),
    });
  }
  return counts;
}
