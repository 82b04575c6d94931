import { setTimeout as sleep } from 'node:timers/promises';
import { hostProcesses } from '../lib/host-processes.ts';
import { BenchCluster } from './cluster.ts';
import type { Finding } from './report.ts';
import { digits, summarize } from './stats.ts';
import { roleOf, tcpCounts, usageOf, type Usage } from './usage.ts';

const PEERS = 10;
const SETTLE_MS = 30_000;
const IDLE_MS = 60_000;
/** IPv4 and TCP with timestamps: what each segment costs on a wire besides its payload. */
const HEADER_BYTES = 52;

type Snapshot = ReadonlyMap<number, Usage & { readonly role: string; readonly peer: number }>;
type PeerCost = {
  readonly pssMiB: number;
  readonly cpuPercent: number;
  readonly sentBytesPerS: number;
  readonly wireBytesPerS: number;
  readonly receivedBytesPerS: number;
};

/** What a peer costs that has nothing to do, in a cluster of ten. */
export async function benchAgent({ quick }: { readonly quick: boolean }): Promise<Finding> {
  await using cluster = await BenchCluster.start(PEERS);
  const dirs = cluster.agents.map(({ dir }) => dir);
  await sleep(quick ? SETTLE_MS / 6 : SETTLE_MS);
  const before = snapshot(dirs);
  const began = performance.now();
  await sleep(quick ? IDLE_MS / 6 : IDLE_MS);
  const after = snapshot(dirs);
  const seconds = (performance.now() - began) / 1_000;
  const peers = dirs.map((_, peer) => costOf(peer, before, after, seconds));
  return report(peers, rolesOf(after, before, seconds), seconds);
}

function snapshot(dirs: readonly string[]): Snapshot {
  const sockets = tcpCounts();
  const found = dirs.flatMap((dir, peer) =>
    hostProcesses(dir).map((pid) => [pid, { ...usageOf(pid, sockets), role: roleOf(pid), peer }] as const),
  );
  return new Map(found);
}

function costOf(peer: number, before: Snapshot, after: Snapshot, seconds: number): PeerCost {
  const own = [...after].filter(([, usage]) => usage.peer === peer);
  const sum = (pick: (usage: Usage) => number): number =>
    own.reduce((total, [, usage]) => total + pick(usage), 0);
  const grown = (pick: (usage: Usage) => number): number =>
    own.reduce((total, [pid, usage]) => total + pick(usage) - pick(before.get(pid) ?? usage), 0) / seconds;
  return {
    pssMiB: sum(({ pssKiB }) => pssKiB) / 1_024,
    cpuPercent: grown(({ cpuMs }) => cpuMs) / 10,
    sentBytesPerS: grown(({ sentBytes }) => sentBytes),
    wireBytesPerS: grown(({ sentBytes, sentSegments }) => sentBytes + HEADER_BYTES * sentSegments),
    receivedBytesPerS: grown(({ receivedBytes }) => receivedBytes),
  };
}

/** The median of each kind of process, for the table's lower half. */
function rolesOf(after: Snapshot, before: Snapshot, seconds: number): string[] {
  const roles = Map.groupBy(after, ([, { role }]) => role);
  return [...roles].map(([role, processes]) => {
    const pss = summarize(processes.map(([, { pssKiB }]) => pssKiB / 1_024));
    const cpu = summarize(
      processes.map(([pid, { cpuMs }]) => (cpuMs - (before.get(pid)?.cpuMs ?? cpuMs)) / seconds / 10),
    );
    return `| ${role} | ${digits(pss.median)} MiB | ${digits(cpu.median)} % |`;
  });
}

function report(peers: readonly PeerCost[], roles: readonly string[], seconds: number): Finding {
  const of = (pick: (peer: PeerCost) => number): ReturnType<typeof summarize> => summarize(peers.map(pick));
  const pss = of(({ pssMiB }) => pssMiB);
  const cpu = of(({ cpuPercent }) => cpuPercent);
  const sent = of(({ sentBytesPerS }) => sentBytesPerS);
  const wire = of(({ wireBytesPerS }) => wireBytesPerS);
  const received = of(({ receivedBytesPerS }) => receivedBytesPerS);
  const row = (what: string, unit: string, { min, median, max }: typeof pss): string =>
    `| ${what} | ${digits(min)} ${unit} | ${digits(median)} ${unit} | ${digits(max)} ${unit} |`;
  return {
    body: [
      `${peers.length} peers, no app, ${Math.round(seconds)} s of idleness:`,
      '',
      '| Per peer | Least | Median | Most |',
      '| --- | --- | --- | --- |',
      row('memory (PSS) of agent, router and keeper', 'MiB', pss),
      row('CPU', '% of a core', cpu),
      row('sent, TCP payload', 'B/s', sent),
      row('sent, with TCP and IP headers', 'B/s', wire),
      row('received, TCP payload', 'B/s', received),
      '',
      '| Process | PSS, median | CPU, median |',
      '| --- | --- | --- |',
      ...roles,
    ].join('\n'),
    aims: [
      {
        aim: 'memory below 150 MB',
        found: `${digits(pss.max * 1.048576)} MB`,
        isMet: pss.max * 1.048576 < 150,
      },
      { aim: 'CPU below 0.5 % of a core', found: `${digits(cpu.median)} %`, isMet: cpu.median < 0.5 },
      { aim: 'idle traffic below 1 KB/s', found: `${digits(sent.median)} B/s`, isMet: sent.median < 1_000 },
    ],
  };
}
