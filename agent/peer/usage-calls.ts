import { z } from 'zod';
import type { DynoUsage } from '../../src/dyno-usage.ts';
import type { AppId, DynoId, PeerId } from '../../src/ids.ts';
import type { PeerStatus } from '../../src/shell/host.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import { callPeer, serveCalls } from '../lib/peer-call.ts';
import type { UsageWatch } from './usage-watch.ts';

const SERVICE = 'dyno-usage';
/** Somebody waits before a terminal: a peer that is slower is left out. */
const ANSWER_MS = 2_500;

const amount = z.number().min(0);
const requestShape = z.object({
  app: z
    .string()
    .max(64)
    .transform((app) => app as AppId),
});
const replyShape = z
  .array(
    z.object({
      dyno: z
        .string()
        .max(64)
        .transform((dyno) => dyno as DynoId),
      stats: z.object({
        rssMiB: amount,
        swapMiB: amount,
        cacheMiB: amount,
        cpuSeconds: amount,
        processes: amount,
      }),
      load: z.tuple([amount, amount, amount]),
      quotaMiB: amount,
    }),
  )
  .max(10_000);

/** Answers other peers that ask what an app's dynos use here. */
export function serveUsage(mesh: Pick<Mesh, 'serve'>, usage: UsageWatch): void {
  serveCalls(mesh, SERVICE, (request) => usage.of(requestShape.parse(request).app));
}

/** What an app's dynos use, asked of each live peer that runs some. Peers that do not answer in time are left out. */
export async function usageEverywhere(
  app: AppId,
  {
    mesh,
    usage,
    peers,
    self,
  }: {
    readonly mesh: Pick<Mesh, 'open'>;
    readonly usage: UsageWatch;
    readonly peers: readonly PeerStatus[];
    readonly self: PeerId;
  },
): Promise<readonly DynoUsage[]> {
  const holders = peers.filter(
    ({ peer, verdict, facts }) =>
      peer !== self &&
      verdict === 'alive' &&
      [...(facts?.dynos ?? []), ...(facts?.oneOffs ?? [])].some((dyno) => dyno.app === app),
  );
  const asked = holders.map(async ({ peer }) =>
    replyShape.parse(await callPeer(mesh, peer, SERVICE, { app }, ANSWER_MS)),
  );
  const answers = await Promise.allSettled([usage.of(app), ...asked]);
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
}
