import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawn, type ChildProcess } from 'node:child_process';
import { AgentProcess, ROOT } from './lib/agent-process.ts';
import { appRequest } from './lib/app-request.ts';
import { kith, must } from './lib/kith.ts';
import { askApi } from './lib/peer-api.ts';
import { checkOutSample, push } from './lib/sample-app.ts';

/**
 * The main job, on this machine: three peers, an app pushed to one of them and served by all. With --once it then
 * kills the peer that was pushed to, host and all, watches the app through the others, and ends.
 */
const APP = 'hello';
const PEERS = ['ash', 'birch', 'cedar'] as const;
type Dyno = { readonly state: string; readonly peer: { readonly id: string } };

const TAKEOVER_MS = 60_000;
const once = process.argv.includes('--once');
const dir = mkdtempSync(join(tmpdir(), 'kith-'));
const agents: AgentProcess[] = [];
let follower: ChildProcess | null = null;
let stopping: Promise<void> | null = null;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping !== null) process.exit(1);
    say('\nStopping (again to leave at once)...');
    void stop().then(() => process.exit(0));
  });
}
// Nobody reads any more (`npm start | head`): the peers are not to be left behind.
process.stdout.on('error', () => void stop().then(() => process.exit(1)));

try {
  await main();
} catch (error) {
  say(`\nFailed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
  await stop({ keepFiles: true });
}
if (once) await stop({ keepFiles: process.exitCode === 1 });

async function main(): Promise<void> {
  await step('Start three peers', async () => {
    for (const [index, name] of PEERS.entries()) agents.push(await start(name, index));
    const { runtime, isolation } = (agents[0] as AgentProcess).ready;
    return `runtime ${runtime}: ${isolation}`;
  });
  await step('Join them into one cluster', async () => {
    const [first, ...others] = agents as [AgentProcess, ...AgentProcess[]];
    for (const other of others) {
      const token =
        must(await kith(first.dir, ['invite']))
          .stdout.trim()
          .split('\n')
          .at(-1) ?? '';
      must(await kith(other.dir, ['join', '-'], { input: token }));
      await until(async () => (await peerCount(other)) >= 2, 'the peer to find its cluster');
    }
    await until(
      async () => (await Promise.all(agents.map(peerCount))).every((count) => count === 3),
      'three peers to see each other',
    );
    return 'by invite tokens';
  });
  const [first, second, third] = agents as [AgentProcess, AgentProcess, AgentProcess];
  const source = join(dir, 'source');
  await step('Create the app and push it', async () => {
    must(await kith(first.dir, ['apps:create', APP, '--no-remote']));
    await checkOutSample(source);
    await push(source, first, APP, (line) => say(`     ${line}`));
    return `to ${first.name}, ${first.ready.api}`;
  });
  await step('Scale to web=3 worker=1', async () => {
    must(await kith(second.dir, ['ps:scale', 'web=3', 'worker=1', '-a', APP]));
    await formationMet(third, 4);
    return `asked of ${second.name}`;
  });
  say(indent(must(await kith(third.dir, ['ps', '-a', APP])).stdout));
  await step('Ask for the app through the other peers', async () => {
    const answers: string[] = [];
    for (const agent of [second, third])
      answers.push(`${agent.name}: ${(await mustAnswer(agent)).trim().split('\n')[0]}`);
    return answers.join('; ');
  });
  say('  Logs of all dynos on all peers:');
  say(indent(must(await kith(second.dir, ['logs', '-n', '8', '-a', APP])).stdout));
  if (once) await loseThePeer(first, [second, third]);
  else keepRunning(second);
}

/** The host that took the push goes, agent, router, dynos and all; nobody is told. */
async function loseThePeer(lost: AgentProcess, left: readonly [AgentProcess, AgentProcess]): Promise<void> {
  let failed = 0;
  let asked = 0;
  const over = new AbortController();
  const asking = left.map(async (agent) => {
    while (!over.signal.aborted) {
      asked += 1;
      const { status } = await appRequest(agent.ready.http, APP);
      if (status !== 200) failed += 1;
      await sleep(10);
    }
  });
  await sleep(500);
  const killedAt = performance.now();
  const gone = lost.killHost();
  say(`  Killed ${lost.name}: agent, router, keeper and dynos (SIGKILL)`);
  let failoverMs = 0;
  try {
    await gone;
    await step('Back at full formation without it', async () => {
      await formationMet(left[0], 4, lost.ready.peer, 20);
      failoverMs = performance.now() - killedAt;
      return `after ${(failoverMs / 1_000).toFixed(2)} s`;
    });
    await sleep(1_000);
  } finally {
    over.abort();
    await Promise.all(asking);
  }
  say(indent(must(await kith(left[1].dir, ['ps', '-a', APP])).stdout));
  say(`  ${asked} requests through ${left[0].name} and ${left[1].name} meanwhile: ${failed} failed`);
  if (failed > 0) throw new Error(`${failed} of ${asked} requests failed while ${lost.name} was lost`);
  say(`\nFailover took ${(failoverMs / 1_000).toFixed(2)} s, and no request failed.`);
}

function keepRunning(agent: AgentProcess): void {
  say('\nKith is running. Every peer answers for every app:');
  for (const { name, ready } of agents)
    say(`  ${name.padEnd(6)} API ${ready.api}   apps ${ready.http.replace('127.0.0.1', `${APP}.localhost`)}`);
  say('\nTry, in another terminal:');
  say(`  export KITH_HOST=unix:${join(agent.dir, 'kith.sock')}`);
  for (const command of [
    'peers',
    `ps -a ${APP}`,
    `config:set GREETING=Howdy -a ${APP}`,
    `ps:scale web=5 -a ${APP}`,
    `run bash -a ${APP}`,
    `releases -a ${APP}`,
    `rollback -a ${APP}`,
  ]) {
    say(`  ./cli/kith ${command}`);
  }
  say(`  curl ${agents[0]?.ready.http.replace('127.0.0.1', `${APP}.localhost`)}`);
  say('\nLogs of all peers follow; Ctrl-C stops everything.\n');
  follower = spawn(join(ROOT, 'cli', 'kith'), ['logs', '--tail', '-n', '0', '-a', APP], {
    env: { ...process.env, KITH_HOST: `unix:${join(agent.dir, 'kith.sock')}` },
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
}

async function start(name: string, index: number): Promise<AgentProcess> {
  const ports = await Promise.all([8_001, 5_001, 6_001].map((port) => freePort(port + index)));
  const args = ['--http', `${ports[0]}`, '--api', `${ports[1]}`, '--mesh', `${ports[2]}`];
  return AgentProcess.start({ dir: join(dir, name), name, args });
}

/** The port if nobody has it, else 0: any. */
function freePort(port: number): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(0));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(port)));
  });
}

async function peerCount(agent: AgentProcess): Promise<number> {
  const ran = await kith(agent.dir, ['peers', '--json']);
  if (ran.status !== 0) return 0;
  return (JSON.parse(ran.stdout) as { state: string }[]).filter(({ state }) => state === 'alive').length;
}

/** So many dynos are up, none of them on the peer that is gone. */
async function formationMet(agent: AgentProcess, count: number, without = '', everyMs = 150): Promise<void> {
  await until(
    async () => {
      const dynos = await appDynos(agent);
      const isElsewhere = dynos.every(({ peer }) => peer.id !== without);
      return isElsewhere && dynos.filter(({ state }) => state === 'up').length === count;
    },
    `${count} dynos to be up`,
    everyMs,
  );
}

async function appDynos(agent: AgentProcess): Promise<readonly Dyno[]> {
  return (await askApi(agent, 'GET', `/apps/${APP}/dynos`)) as readonly Dyno[];
}

async function mustAnswer(agent: AgentProcess): Promise<string> {
  const { status, body } = await appRequest(agent.ready.http, APP);
  if (status === 200) return body;
  throw new Error(`${agent.name} answered ${status}: ${body.slice(0, 200)}`);
}

async function until(check: () => Promise<boolean>, what: string, everyMs = 150): Promise<void> {
  const deadline = performance.now() + TAKEOVER_MS;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`Waited ${TAKEOVER_MS / 1_000} s for ${what}`);
    await sleep(everyMs);
  }
}

async function step(title: string, work: () => Promise<string>): Promise<void> {
  say(`-----> ${title}`);
  const began = performance.now();
  const said = await work();
  say(
    `       done in ${((performance.now() - began) / 1_000).toFixed(1)} s${said === '' ? '' : ` (${said})`}`,
  );
}

function stop({ keepFiles = false } = {}): Promise<void> {
  stopping ??= (async () => {
    follower?.kill('SIGTERM');
    await Promise.allSettled(agents.map((agent) => agent.stop()));
    if (keepFiles) say(`The peers' data and logs are in ${dir}`);
    else rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  })();
  return stopping;
}

function indent(text: string): string {
  return text.trimEnd().replace(/^/gm, '     ');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
