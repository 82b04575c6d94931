import { z } from 'zod';
import type { PeerFacts } from '../facts.ts';

const hostPort = z.string().max(300);
const dyno = z.object({
  slot: z.string().max(300),
  dyno: z.string().max(64),
  app: z.string().max(64),
  type: z.string().max(128),
  index: z.number().int().min(1).max(100_000),
  release: z.string().max(64),
  generation: z.string().max(128),
  claimedAt: z.object({ ms: z.number(), n: z.number() }),
  phase: z.enum(['fetching', 'starting', 'up', 'draining', 'stopping', 'crashed']),
  since: z.number(),
  size: z.string().max(64),
  command: z.string().max(32_768),
  port: z.number().int().min(1).max(65_535).nullable(),
  crashes: z.number().int().min(0),
  cycling: z.literal(true).exactOptional(),
});
const oneOff = z.object({
  dyno: z.string().max(64),
  app: z.string().max(64),
  name: z.string().max(64),
  release: z.string().max(64),
  command: z.string().max(32_768),
  size: z.string().max(64),
  phase: z.enum(['starting', 'up']),
  since: z.number(),
});
/** Loose, so that a newer peer may say more than we know. */
const facts = z.looseObject({
  peer: z.string().max(128),
  incarnation: z.number().int().min(0),
  counter: z.number().int().min(0),
  name: z.string().max(256),
  version: z.string().max(64),
  arch: z.string().max(32),
  runtime: z.string().max(64),
  isolation: z.string().max(512),
  runtimeDown: z.string().max(512).exactOptional(),
  dynosLost: z.literal(true).exactOptional(),
  labels: z.record(z.string(), z.string()),
  addrs: z.object({
    mesh: z.array(z.string().max(300)).max(32),
    api: hostPort,
    http: hostPort,
    proxy: hostPort,
  }),
  capacity: z.object({ memoryMiB: z.number(), cpus: z.number() }),
  load: z.number(),
  draining: z.boolean(),
  dynos: z.array(dyno).max(10_000),
  oneOffs: z.array(oneOff).max(1_000),
  tookOneOffs: z
    .array(z.object({ dyno: z.string().max(64), name: z.string().max(64), release: z.string().max(64) }))
    .max(100)
    .exactOptional(),
  blobs: z.array(z.string().max(64)).max(100_000),
  shy: z.array(z.string().max(300)).max(10_000),
});

/** Facts as another peer sent them, or null when they are none: a broken peer must not break this one. */
export function parseFacts(record: unknown): PeerFacts | null {
  const parsed = facts.safeParse(record);
  return parsed.success ? (parsed.data as unknown as PeerFacts) : null;
}
