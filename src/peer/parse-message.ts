import { z } from 'zod';
import type { GossipMessage, PeerMessage } from './messages.ts';
import { parseSwim } from './parse-swim.ts';
import { COUNT_MAX, Flaw, listIn, textIn, type Fields } from './read-fields.ts';

// A frame holds a few hundred KiB; this only keeps one message from filling our maps.
const ENTRIES_MAX = 100_000;
const DIGEST_LENGTH_MAX = 64;

const id = z.string().max(200);
const count = z.number().int().min(0).max(COUNT_MAX);
const record = <T extends z.ZodType>(value: T) =>
  z
    .record(z.string().max(300), value)
    .refine((entries) => Object.keys(entries).length <= ENTRIES_MAX, 'has too many entries');

const vector = record(z.number().int().min(0).max(Number.MAX_SAFE_INTEGER));
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

/** Reads a message of one kind. Throws `Flaw`. */
type Reader<Message> = (fields: Fields) => Message;

/** What comes all the time is read by hand, at a fraction of what a schema costs; the rest by its schema. */
const MESSAGES: { readonly [T in PeerMessage['t']]: Reader<PeerMessage & { t: T }> } = {
  swim: ({ message }) => ({ t: 'swim', message: parseSwim(message) }),
  digest: (fields) => ({ t: 'digest', digest: textIn(fields, 'digest', DIGEST_LENGTH_MAX) }),
  vector: shaped(
    z.object({
      t: z.literal('vector'),
      vector,
      facts: record(z.tuple([count, count])),
      final: z.boolean(),
    }),
  ),
  ops: readOps,
  // Each record is read by itself: one that is broken costs no other.
  facts: shaped(z.object({ t: z.literal('facts'), records: z.array(z.unknown()).max(ENTRIES_MAX) })),
  command: shaped(z.object({ t: z.literal('command'), id, command, context, vector })),
  result: shaped(z.object({ t: z.literal('result'), id, result, vector })),
};

const GOSSIP: { readonly [T in GossipMessage['t']]: Reader<GossipMessage & { t: T }> } = {
  ops: readOps,
  facts: shaped(z.object({ t: z.literal('facts'), record: z.unknown() })),
};

function readOps(fields: Fields): PeerMessage & GossipMessage & { t: 'ops' } {
  return { t: 'ops', ops: listIn(fields, 'ops', ENTRIES_MAX, bytesOf) };
}

function bytesOf(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new Flaw('ops: must be bytes');
  return value;
}

function shaped<Message>(shape: z.ZodType): Reader<Message> {
  return (fields) => {
    const parsed = shape.safeParse(fields);
    if (parsed.success) return parsed.data as Message;
    const issue = parsed.error.issues[0];
    throw new Flaw(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
  };
}

/** A message as it came from a peer: read, of a kind that only newer peers know, or broken. */
export type ParsedMessage<Message> =
  | { readonly tag: 'message'; readonly message: Message }
  | { readonly tag: 'unknown' }
  | { readonly tag: 'broken'; readonly reason: string };

export function parsePeerMessage(value: unknown): ParsedMessage<PeerMessage> {
  return parseBy<PeerMessage>(MESSAGES, value);
}

export function parseGossip(value: unknown): ParsedMessage<GossipMessage> {
  return parseBy<GossipMessage>(GOSSIP, value);
}

function parseBy<Message>(
  readers: Readonly<Record<string, Reader<Message>>>,
  value: unknown,
): ParsedMessage<Message> {
  const t: unknown = typeof value === 'object' && value !== null && 't' in value ? value.t : undefined;
  if (typeof t !== 'string') return { tag: 'broken', reason: 'it names no kind' };
  const read = Object.hasOwn(readers, t) ? readers[t] : undefined;
  if (read === undefined) return { tag: 'unknown' };
  try {
    return { tag: 'message', message: read(value as Fields) };
  } catch (error) {
    if (!(error instanceof Flaw)) throw error;
    return { tag: 'broken', reason: `${t}: ${error.message}` };
  }
}
