import { join } from 'node:path';
import type { Logs } from '../../src/shell/logs.ts';
import type { RouterHandle } from '../../src/shell/router.ts';
import type { Runtime } from '../../src/shell/runtime.ts';
import { openLogs } from '../logs/logs.ts';
import { OutputPositions } from '../peer/output-positions.ts';
import { openRouter } from '../router/handle.ts';
import { openRuntime } from '../runtimes/choose.ts';
import { openBlobs, type BlobStore } from '../slugs/blob-store.ts';
import { knownStack } from '../stack/known-stack.ts';
import { StackKeeper } from '../stack/stack-keeper.ts';
import type { Base } from './base.ts';
import { pickPort } from './ports.ts';

/** The parts that touch the world: files, dynos, requests, log lines. */
export type World = {
  readonly blobs: BlobStore;
  readonly stack: StackKeeper;
  readonly runtime: Runtime;
  readonly router: RouterHandle;
  readonly logs: Logs;
  /** How far the output of each dyno was read. */
  readonly positions: OutputPositions;
};

export async function openWorld(parts: AsyncDisposableStack, base: Base): Promise<World> {
  const { config, dir, mesh, past, holders, others, log } = base;
  const { stackImage: image, dynoDiskMiB } = config;
  const blobs = parts.use(await openBlobs({ dir: dir.blobs, mesh, log: log.child({ component: 'blobs' }) }));
  const stackLog = log.child({ component: 'stack' });
  const stack = parts.use(new StackKeeper({ image, arch: process.arch, blobs, holders, log: stackLog }));
  if (config.runtime !== 'process') await stack.prepare(knownStack(past.ops, process.arch));
  const runtimeLog = log.child({ component: 'runtime' });
  const runtime = parts.use(
    await openRuntime(config.runtime, { dir: dir.path, log: runtimeLog, stackImage: image, dynoDiskMiB }),
  );
  const router = parts.use(
    await openRouter({
      dir: dir.path,
      host: config.host,
      port: await pickPort(config.host, config.http, past.ports.http),
      httpsPort:
        config.https === null
          ? null
          : await pickPort(config.host, config.https, past.ports.https ?? undefined),
      proxyHost: config.host,
      proxyPort: await pickPort(config.host, config.mesh === 0 ? 0 : config.mesh + 1_000, past.ports.proxy),
      log: log.child({ component: 'router' }),
    }),
  );
  const logsLog = log.child({ component: 'logs' });
  const logs = parts.use(
    await openLogs({ dir: dir.logs, mesh, members: others, log: logsLog, now: Date.now }),
  );
  const positions = parts.use(new OutputPositions(join(dir.path, 'output-positions.json'), log));
  return { blobs, stack, runtime, router, logs, positions };
}
