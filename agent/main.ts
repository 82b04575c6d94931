import { flushCompileCache } from 'node:module';
import { pino } from 'pino';
import { PlatformError } from '../src/errors.ts';
import { openAgent, type Agent } from './agent.ts';
import { AGENT_USAGE, readConfig, type AgentConfig } from './config/config.ts';

const FLUSH_MS = 1_000;

/**
 * One host's agent. Says one JSON line on stdout when it serves; logs go to stderr. SIGTERM and SIGINT hand
 * everything over and stop it; SIGHUP ends the agent alone, for a restart that moves nothing; a second signal exits.
 */
async function main(): Promise<void> {
  if (process.argv.includes('--help')) {
    process.stdout.write(`${AGENT_USAGE}\n`);
    return;
  }
  const config = readConfig(process.argv.slice(2), process.env);
  // Builds and dynos of other users read what is unpacked for them; what is secret says so itself when it is written.
  process.umask(0o022);
  // The router and the keeper inherit the environment: an invite is none of their business.
  delete process.env['KITH_JOIN'];
  const log = pino(
    {
      level: config.logLevel,
      redact: ['token', '*.token', 'secret', '*.secret', 'authorization', '*.authorization'],
    },
    pino.destination({ dest: 2, sync: false }),
  );
  process.on('unhandledRejection', (err) => log.error({ err }, 'unowned promise failed'));
  process.on('uncaughtException', (err) => {
    // State is on disk and dynos live on: a clean start is safer than going on half-broken.
    log.fatal({ err }, 'agent crashed');
    log.flush(() => process.exit(70));
    // Should nobody read what is flushed.
    setTimeout(() => process.exit(70), FLUSH_MS);
  });
  // Whoever waited for the ready line may be gone before there is another one: no reason to die.
  process.stdout.on('error', (err) => log.debug({ err }, 'nobody reads stdout'));
  const stop = onSignals();
  for (let isFirst = true; ; isFirst = false) {
    const agent = await openAgent(isFirst ? config : withoutJoin(config), log);
    process.stdout.write(`${JSON.stringify(agent.ready)}\n`);
    log.info({ peer: agent.ready.peer, isolation: agent.ready.isolation }, 'ready');
    // An agent that is killed one day never gets to save it at its exit: the next one is then heavy, and slow to start.
    flushCompileCache();
    const how = await Promise.race([stop, agent.rejoin.then(() => 'rejoin' as const)]);
    await closeAgent(agent, how === 'leave' ? 'leave' : 'stay');
    if (how !== 'rejoin') break;
  }
  process.exit(0);
}

function withoutJoin(config: AgentConfig): AgentConfig {
  return { ...config, join: null };
}

async function closeAgent(agent: Agent, how: 'leave' | 'stay'): Promise<void> {
  await agent.close(how);
}

function onSignals(): Promise<'leave' | 'stay'> {
  return new Promise((resolve) => {
    let isStopping = false;
    const on = (signal: NodeJS.Signals, how: 'leave' | 'stay'): void => {
      process.on(signal, () => {
        if (isStopping) process.exit(1);
        isStopping = true;
        resolve(how);
      });
    };
    on('SIGTERM', 'leave');
    on('SIGINT', 'leave');
    on('SIGHUP', 'stay');
  });
}

main().catch((error: unknown) => {
  const text = error instanceof PlatformError ? error.message : `The agent failed to start: ${String(error)}`;
  const hint = error instanceof PlatformError && error.hint !== undefined ? `\n${error.hint}` : '';
  process.stderr.write(`${text}${hint}\n`);
  process.exit(1);
});
