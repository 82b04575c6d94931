import { z } from 'zod';
import type { GossipMessage, PeerMessage } from './messages.ts';

// A frame holds a few hundred KiB; these only keep one message from filling our maps.
const ENTRIES_MAX = 100_000;
const RUMOURS_MAX = 256;
/** Far above any honest count, and low enough to be counted on from. */
const COUNT_MAX = 2 ** 48;

const id = z.string().max(200);
const peer = z.string().max(128);
const count = z.number().int().min(0).max(COUNT_MAX);
const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'must be bytes');
const record = <T extends z.ZodType>(value: T) =>
  z
    .record(z.string().max(300), value)
    .refine((entries) => Object.keys(entries).length <= ENTRIES_MAX, 'has too many entries');

const rumour = z.object({
  peer,
  incarnation: count,
  state: z.enum(['alive', 'suspect', 'down', 'left']),
  by: peer,
});
const evidence = z.object({ peer, by: peer, incarnation: count, found: z.enum(['gone', 'agentOnly']) });
const rumours = z.array(rumour).max(RUMOURS_MAX);
const evidences = z.array(evidence).max(RUMOURS_MAX);
const swim = z.discriminatedUnion('t', [
  z.object({ t: z.literal('ping'), n: count, rumours, evidence: evidences }),
  z.object({ t: z.literal('ack'), n: count, incarnation: count, rumours, evidence: evidences }),
  z.object({ t: z.literal('pingReq'), n: count, target: peer, rumours }),
  z.object({ t: z.literal('indirect'), n: count, target: peer, ok: z.boolean(), incarnation: count }),
]);

const vector = record(z.number().int().min(0).max(Number.MAX_SAFE_INTEGER));
const ops = z.array(bytes).max(ENTRIES_MAX);
/** What is asked is judged by `decide`, and what comes of it by `readBody`: here only its outline counts. */
const command = z.looseObject({ type: z.string().max(64) });
const context = z.object({ user: z.string().max(320), request: z.string().max(1_000).nullable() });
const result = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), ops: z.array(id).max(1_000) }),
  z.object({
    ok: z.literal(false),
    error: z.looseObject({ code: z.string().max(64), message: z.string().max(10_000) }),
  }),
]);

const MESSAGES: { readonly [T in PeerMessage['t']]: z.ZodType } = {
  swim: z.object({ t: z.literal('swim'), message: swim }),
  digest: z.object({ t: z.literal('digest'), digest: z.string().max(64) }),
  vector: z.object({
    t: z.literal('vector'),
    vector,
    facts: record(z.tuple([count, count])),
    final: z.boolean(),
  }),
  ops: z.object({ t: z.literal('ops'), ops }),
  // Each record is read by itself: one that is broken costs no other.
  facts: z.object({ t: z.literal('facts'), records: z.array(z.unknown()).max(ENTRIES_MAX) }),
  command: z.object({ t: z.literal('command'), id, command, context, vector }),
  result: z.object({ t: z.literal('result'), id, result, vector }),
};

const GOSSIP: { readonly [T in GossipMessage['t']]: z.ZodType } = {
  ops: z.object({ t: z.literal('ops'), ops }),
  facts: z.object({ t: z.literal('facts'), record: z.unknown() }),
};

/** A message as it came from a peer: read, of a kind that only newer peers know, or broken. */
export type ParsedMessage<Message> =
  | { readonly tag: 'message'; readonly message: Message }
  | { readonly tag: 'unknown' }
  | { readonly tag: 'broken'; readonly reason: string };

export function parsePeerMessage(value: unknown): ParsedMessage<PeerMessage> {
  return parseBy(MESSAGES, value);
}

export function parseGossip(value: unknown): ParsedMessage<GossipMessage> {
  return parseBy(GOSSIP, value);
}

function parseBy<Message>(
  shapes: Readonly<Record<string, z.ZodType>>,
  value: unknown,
): ParsedMessage<Message> {
  const t: unknown = typeof value === 'object' && value !== null && 't' in value ? value.t : undefined;
  if (typeof t !== 'string') return { tag: 'broken', reason: 'it names no kind' };
  const shape = Object.hasOwn(shapes, t) ? shapes[t] : undefined;
  if (shape === undefined) return { tag: 'unknown' };
  const parsed = shape.safeParse(value);
  if (parsed.success) return { tag: 'message', message: parsed.data as Message };
  const issue = parsed.error.issues[0];
  return { tag: 'broken', reason: `${t}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}` };
}
