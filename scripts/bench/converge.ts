import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomId } from '../../agent/boot/past.ts';
import type { AppId, ClusterId, Epoch, PeerId } from '../../src/ids.ts';
import { appendDrafts, emptyLogs } from '../../src/ledger/author-logs.ts';
import type { Command } from '../../src/ledger/command.ts';
import { decide } from '../../src/ledger/decide.ts';
import { applyOps, emptyFold } from '../../src/ledger/fold.ts';
import { createSigner } from '../../src/ledger/signing.ts';
import { waitFor } from './cluster.ts';
import type { FromPeer, Mark, ToPeer } from './converge-messages.ts';
import type { Finding } from './report.ts';
import { digits, summarize } from './stats.ts';

const SIZES = [3, 10, 50];
const WRITES = 300;
const WRITES_QUICK = 40;
const BETWEEN_WRITES_MS = 100;
const ANSWER_MS = 60_000;
const MEET_MS = 180_000;
const START_TOGETHER = 5;
const SETTLE_MS = 10_000;

type Row = {
  readonly peers: number;
  readonly fromDurable: ReturnType<typeof summarize>;
  readonly fromAsked: ReturnType<typeof summarize>;
};

/** How long a write takes to be visible at every peer, in clusters of several sizes. */
export async function benchConverge({ quick }: { readonly quick: boolean }): Promise<Finding> {
  const rows: Row[] = [];
  for (const peers of quick ? SIZES.slice(0, 2) : SIZES) {
    try {
      const row = await measure(peers, quick ? WRITES_QUICK : WRITES);
      const { median, p99 } = row.fromDurable;
      process.stdout.write(`  ${peers} peers: median ${digits(median)} ms, p99 ${digits(p99)} ms\n`);
      rows.push(row);
    } catch (error) {
      // Fifty processes may be more than this machine can bring up: what the smaller sizes showed is kept.
      process.stdout.write(
        `  ${peers} peers: not measured: ${error instanceof Error ? error.message : String(error)}\n`,
      );
    }
  }
  return report(rows);
}

async function measure(count: number, writes: number): Promise<Row> {
  const dir = mkdtempSync(join(tmpdir(), 'kith-bench-'));
  const peers = Array.from({ length: count }, (_, index) => new ChildPeer(join(dir, `p${index}`)));
  try {
    await start(peers);
    await sleep(SETTLE_MS);
    const written: (FromPeer & { t: 'written' })[] = [];
    for (let index = 0; index < writes; index += 1) {
      const writer = peers[Math.floor(Math.random() * count)];
      if (writer !== undefined) written.push(await writer.ask({ t: 'write' }, 'written'));
      await sleep(BETWEEN_WRITES_MS);
    }
    await sleep(1_000);
    const reports = await Promise.all(peers.map((peer) => peer.ask({ t: 'report' }, 'reported')));
    return rowOf(count, written, reports);
  } finally {
    await Promise.all(peers.map((peer) => peer.end()));
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

function rowOf(
  peers: number,
  written: readonly (FromPeer & { t: 'written' })[],
  reports: readonly (FromPeer & { t: 'reported' })[],
): Row {
  const durable = new Map(reports.flatMap((report) => [...report.durable]));
  const visible = reports.map((report) => new Map<number, Mark[1]>(report.visible));
  const ms = (from: string, to: bigint): number => Number(to - BigInt(from)) / 1e6;
  const both = written.map(({ release, asked }) => {
    const seen = visible.map((marks) => BigInt(marks.get(release) ?? missing(release)));
    const last = seen.reduce((a, b) => (a > b ? a : b));
    return [ms(durable.get(release) ?? missing(release), last), ms(asked, last)] as const;
  });
  return {
    peers,
    fromDurable: summarize(both.map(([fromDurable]) => fromDurable)),
    fromAsked: summarize(both.map(([, fromAsked]) => fromAsked)),
  };
}

function missing(release: number): never {
  throw new Error(`Release v${release} was never seen by every peer`);
}

/**
 * Founds a cluster, admits the others a few at a time, as machines join, and waits until each sees all: fifty processes
 * that load their code on a few cores at once would measure nothing but that.
 */
async function start(peers: readonly ChildPeer[]): Promise<void> {
  const [founder] = peers;
  if (founder === undefined) throw new Error('No peer');
  const cluster = randomId(26) as ClusterId;
  const write = foundingLedger(cluster, founder);
  const ops = write(foundingCommands(founder));
  for (let count = 0; count < peers.length; count += START_TOGETHER) {
    const group = peers.slice(count, count + START_TOGETHER);
    const before = peers.slice(0, count);
    const all = [...before, ...group];
    await Promise.all(group.map((peer) => peer.open()));
    const admitted = write(
      group
        .filter((peer) => peer !== founder)
        .map(({ id }): Command => ({ type: 'member.admit', peer: id, invite: null, name: id })),
    );
    ops.push(...admitted);
    await Promise.all(before.map((peer) => peer.ask({ t: 'learn', ops: admitted }, 'learned')));
    const addresses = Object.fromEntries(all.map((peer) => [peer.id, peer.addrs]));
    await Promise.all(group.map((peer) => peer.ask({ t: 'start', cluster, ops, addresses }, 'started')));
    await waitFor(`${all.length} peers to see each other`, MEET_MS, 500, async () => {
      const looks = await Promise.all(all.map((peer) => peer.ask({ t: 'look' }, 'looked')));
      return looks.every(({ alive, gossiping }) => alive === all.length && gossiping);
    });
  }
}

/** Writes a ledger as its founder would have written it; each call returns what it appended, base64. */
function foundingLedger(cluster: ClusterId, founder: ChildPeer): (commands: readonly Command[]) => string[] {
  const signer = createSigner(Buffer.from(founder.seed, 'hex'));
  const epoch = randomId(16) as Epoch;
  let logs = emptyLogs();
  let fold = emptyFold();
  let hlc = { ms: Date.now(), n: 0 };
  return (commands) =>
    commands.flatMap((command) => {
      const decision = decide(fold, logs, command, { user: 'bench', request: null });
      if (!decision.ok) throw new Error(decision.error.message);
      const author = { cluster, signer, epoch, hlc, wall: Date.now() };
      const next = appendDrafts(logs, author, decision.drafts);
      ({ logs, hlc } = next);
      fold = applyOps(fold, next.ops);
      return next.ops.map(({ bytes }) => Buffer.from(bytes).toString('base64'));
    });
}

/** The cluster with its founder in it, and an app. */
function foundingCommands(founder: ChildPeer): Command[] {
  const key = '0'.repeat(16);
  return [
    { type: 'cluster.found', name: 'bench', peer: founder.id, caCert: 'none', caKey: new Uint8Array(1), key },
    { type: 'app.create', app: randomUUID() as AppId, name: 'bench', fallbackName: 'bench' },
  ];
}

/** One process with a peer in it. */
class ChildPeer {
  readonly dir: string;
  readonly seed = randomBytes(32).toString('hex');
  readonly id: PeerId = createSigner(Buffer.from(this.seed, 'hex')).peer;
  addrs: readonly string[] = [];
  #child: ChildProcess | null = null;

  constructor(dir: string) {
    this.dir = dir;
  }

  async open(): Promise<void> {
    mkdirSync(this.dir, { recursive: true });
    this.#child = fork(join(import.meta.dirname, 'converge-peer.ts'), {
      execArgv: ['--max-semi-space-size=1', '--disable-warning=ExperimentalWarning'],
    });
    this.addrs = (await this.ask({ t: 'open', dir: this.dir, seed: this.seed }, 'opened')).addrs;
  }

  async ask<T extends FromPeer['t']>(message: ToPeer, answer: T): Promise<FromPeer & { t: T }> {
    if (this.#child === null) throw new Error('Not opened');
    const signal = AbortSignal.timeout(ANSWER_MS);
    const answered = once(this.#child, 'message', { signal });
    this.#child.send(message);
    const [reply] = (await answered) as [FromPeer];
    if (reply.t === answer) return reply as FromPeer & { t: T };
    if (reply.t === 'failed') throw new Error(`A peer could not "${message.t}": ${reply.reason}`);
    throw new Error(`A peer answered "${message.t}" with "${reply.t}"`);
  }

  async end(): Promise<void> {
    if (this.#child === null || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

function report(rows: readonly Row[]): Finding {
  const line = ({ peers, fromDurable, fromAsked }: Row): string => {
    const { median, p95, p99, max } = fromDurable;
    const cells = [median, p95, p99, max, fromAsked.median, fromAsked.p99];
    return `| ${peers} | ${fromDurable.count} | ${cells.map((ms) => `${digits(ms)} ms`).join(' | ')} |`;
  };
  const ten = rows.find(({ peers }) => peers === 10)?.fromDurable.p99 ?? Number.NaN;
  return {
    body: [
      '| Peers | Writes | Median | p95 | p99 | Worst | From the request: median | p99 |',
      '| --- | --- | --- | --- | --- | --- | --- | --- |',
      ...rows.map(line),
    ].join('\n'),
    aims: [{ aim: 'p99 below 10 ms among 10 peers', found: `${digits(ten)} ms`, isMet: ten < 10 }],
  };
}
