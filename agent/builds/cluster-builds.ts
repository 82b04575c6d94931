import type { Readable } from 'node:stream';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { AppId, PeerId } from '../../src/ids.ts';
import type { Builds, ClusterBuilds, PendingBuild } from '../../src/shell/builds.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import { assertNever } from '../../src/step.ts';
import { sendJson } from '../lib/json-lines.ts';
import { callPeer, serveCalls } from '../lib/peer-call.ts';
import { serveOutput } from '../lib/serve-output.ts';

const CALLS = 'builds';
const OUTPUT = 'build-output';
/** A list waits no longer for a peer: it has probably none to add. */
const ASK_MS = 1_500;
const OPEN_MS = 5_000;
const PURGE_MS = 30_000;

const asked = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('pending'), app: z.string() }),
  z.object({ ask: z.literal('knows'), build: z.string() }),
  z.object({ ask: z.literal('stop'), build: z.string(), user: z.string() }),
  z.object({ ask: z.literal('purge'), app: z.string() }),
]);
const pendingBuilds = z.array(
  z.object({
    build: z.string(),
    status: z.literal('pending'),
    commit: z.string().nullable(),
    buildpacks: z.array(z.string()),
    output: z.null(),
    release: z.null(),
    user: z.string(),
    createdAt: z.number(),
    updatedAt: z.number(),
  }),
);

export type ClusterBuildsParts = {
  readonly local: Pick<Builds, 'pending' | 'output' | 'stop' | 'purgeCache'>;
  readonly mesh: Pick<Mesh, 'open' | 'serve'>;
  /** Other peers that are alive. */
  readonly others: () => readonly PeerId[];
  readonly log: Logger;
};

/** Serves what is built here to other peers, and asks them for what is built there. */
export function openClusterBuilds(parts: ClusterBuildsParts): ClusterBuilds {
  const { local, mesh } = parts;
  serveCalls(mesh, CALLS, async (request) => answer(local, asked.parse(request)));
  mesh.serve(OUTPUT, (channel) =>
    serveOutput(channel, (request) => local.output(String(Object(request)['build']))),
  );
  return {
    async underWay(app) {
      const elsewhere = await askAll(parts, { ask: 'pending', app }, ASK_MS);
      const theirs = elsewhere.flatMap(({ value }) => pendingBuilds.safeParse(value).data ?? []);
      return [...local.pending(app), ...theirs];
    },
    async read(build, signal) {
      const here = local.output(build);
      if (here !== null) return here;
      const elsewhere = await askAll(parts, { ask: 'knows', build }, ASK_MS);
      const holder = elsewhere.find(({ value }) => value === true);
      return holder === undefined ? null : openOutput(mesh, holder.peer, build, signal);
    },
    async cancel(build, user) {
      if (local.stop(build, user)) return true;
      const elsewhere = await askAll(parts, { ask: 'stop', build, user }, ASK_MS);
      return elsewhere.some(({ value }) => value === true);
    },
    async purgeCaches(app) {
      await Promise.all([local.purgeCache(app), askAll(parts, { ask: 'purge', app }, PURGE_MS)]);
    },
  };
}

async function answer(local: ClusterBuildsParts['local'], request: z.infer<typeof asked>): Promise<unknown> {
  switch (request.ask) {
    case 'pending':
      return local.pending(request.app as AppId) satisfies readonly PendingBuild[];
    case 'knows': {
      const output = local.output(request.build);
      output?.destroy();
      return output !== null;
    }
    case 'stop':
      return local.stop(request.build, request.user);
    case 'purge':
      await local.purgeCache(request.app as AppId);
      return true;
    default:
      return assertNever(request);
  }
}

/** All others at once: a build is known by the one that runs it alone. */
async function askAll(
  { mesh, others, log }: ClusterBuildsParts,
  request: z.infer<typeof asked>,
  withinMs: number,
): Promise<readonly { readonly peer: PeerId; readonly value: unknown }[]> {
  const answers = await Promise.all(
    others().map(async (peer) => {
      try {
        return [{ peer, value: await callPeer(mesh, peer, CALLS, request, withinMs) }];
      } catch (err) {
        log.debug({ peer, ask: request.ask, err }, 'peer did not tell of its builds');
        return [];
      }
    }),
  );
  return answers.flat();
}

async function openOutput(
  mesh: ClusterBuildsParts['mesh'],
  peer: PeerId,
  build: string,
  signal: AbortSignal,
): Promise<Readable> {
  const channel = await mesh.open(peer, OUTPUT, AbortSignal.any([signal, AbortSignal.timeout(OPEN_MS)]));
  sendJson(channel, { build });
  return channel;
}
