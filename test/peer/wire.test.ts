import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonical } from '../sim/invariants.ts';
import type { PeerMessage } from '../../src/peer/messages.ts';
import { parseGossip, parsePeerMessage } from '../../src/peer/parse-message.ts';
import { benches, meet, only } from './builders.ts';

const [self, other] = pair();

function pair() {
  const [a, b] = benches(2);
  if (a === undefined || b === undefined) throw new Error('two peers are two');
  meet(a, b);
  a.run(100);
  return [a, b] as const;
}

const ops = self.stored.map(({ bytes }) => bytes);
const rumour = { peer: self.id, incarnation: 1, state: 'suspect', by: other.id };
const evidence = { peer: self.id, by: other.id, incarnation: 1, found: 'gone' };
const vector = { [`${other.id}/abcdefghijklmnop`]: 3 };
const context = { user: 'ann@example.com', request: null };
const app = 'a0000000-0000-4000-8000-000000000001';
const slug = { id: 'f', bytes: 1, arch: 'x', stack: 's', processTypes: { web: 'x' }, commit: null };
const swims = [
  { t: 'ping', n: 1, rumours: [rumour], evidence: [evidence] },
  { t: 'ack', n: 1, incarnation: 1, rumours: [rumour], evidence: [evidence] },
  { t: 'pingReq', n: 1, target: self.id, rumours: [rumour] },
  { t: 'indirect', n: 1, target: other.id, ok: true, incarnation: 1 },
];
const commands = [
  { type: 'app.create', app, name: 'blog', fallbackName: 'blog' },
  { type: 'app.update', app, name: 'blog', maintenance: true },
  { type: 'app.destroy', app },
  { type: 'config.patch', app, config: { KEY: new Uint8Array([1]) } },
  { type: 'release.deploy', app, slug, description: 'x' },
  { type: 'release.rollback', app, to: 'x' },
  { type: 'release.merge', app },
  { type: 'formation.scale', app, updates: [{ type: 'web', quantity: 1, by: 1, size: 'eco' }] },
  { type: 'formation.restart', app, process: 'web', index: 1 },
  { type: 'domain.add', app, hostname: 'a.b', domain: 'd' },
  { type: 'domain.remove', app, hostname: 'a.b' },
  { type: 'buildpacks.set', app, buildpacks: ['x'] },
  { type: 'member.admit', peer: self.id, invite: 'x', name: 'x' },
  { type: 'member.remove', peer: 'x' },
  {
    type: 'token.create',
    token: 't',
    hash: 'h',
    user: 'u',
    description: '',
    scopes: ['global'],
    expiresAt: null,
    role: null,
  },
  { type: 'token.update', token: 't', hash: 'h', description: 'd', expiresAt: 1 },
  { type: 'token.revoke', token: 't' },
  { type: 'user.set', user: 'u', role: 'member' },
  { type: 'collaborator.set', app, user: 'u', permissions: ['view'] },
  { type: 'app.transfer', app, to: 'u' },
  { type: 'invite.create', invite: 'i', secretHash: 's', expiresAt: 1 },
  { type: 'key.rotate', key: 'k' },
];
/** One sound message of every kind: what is tried is these with something in them replaced. */
const sound: object[] = [
  ...swims.map((message) => ({ t: 'swim', message })),
  { t: 'digest', digest: 'x' },
  { t: 'vector', vector, facts: { [other.id]: [1, 1] }, final: false },
  { t: 'ops', ops },
  { t: 'facts', records: [{ ...other.state.own, counter: 2 }] },
  ...commands.map((command) => ({ t: 'command', id: 'x', command, context, vector: {} })),
  { t: 'result', id: 'x', result: { ok: true, ops: ['x'] }, vector },
  { t: 'result', id: 'x', result: { ok: false, error: { code: 'timeout', message: 'x' } }, vector },
];

const junk = fc.oneof(
  fc.constantFrom<unknown[]>(
    undefined,
    null,
    true,
    0,
    -1,
    0.5,
    NaN,
    Infinity,
    2 ** 53,
    '',
    'x',
    '__proto__',
    [],
    {},
    [null],
    new Uint8Array(),
    new Uint8Array([0xa0]),
    { length: 3 },
    'x'.repeat(1_000),
  ),
  fc.anything({ maxDepth: 2 }),
);

/** Every place in a value, as a path. */
function places(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [path];
  return [path, ...Object.entries(value).flatMap(([key, part]) => places(part, [...path, key]))];
}

function replaced(value: unknown, path: readonly string[], by: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }) as Record<
    string,
    unknown
  >;
  copy[key] = replaced(copy[key], rest, by);
  return copy;
}

const broken = fc
  .constantFrom(...sound)
  .chain((message) => fc.tuple(fc.constant(message), fc.constantFrom(...places(message).slice(1)), junk))
  .map(([message, path, by]) => replaced(message, path, by));

test('every kind of message is read as it was meant', () => {
  for (const message of sound) {
    const parsed = parsePeerMessage(message);
    expect(parsed.tag === 'message' && parsed.message).toEqual(message);
  }
});

test('a member that sends a message with anything wrong in it makes nobody throw and spoils no state', () => {
  fc.assert(
    fc.property(fc.array(broken, { minLength: 1, maxLength: 4 }), (messages) => {
      const { state } = self;
      const kept = canonical(state.fold.view.members);
      for (const message of messages) self.hear(other, message as PeerMessage);
      self.run(50);
      // It still speaks and still writes: the next honest command works.
      const effects = self.command({ type: 'key.rotate', key: 'next' });
      expect(only(effects, 'answer')[0]?.result.ok).toBe(true);
      expect(canonical(self.state.fold.view.members)).toBe(kept);
      self.state = state;
    }),
    { numRuns: 1_500 },
  );
});

test('the same holds for gossip', () => {
  const kinds: object[] = [
    { t: 'ops', ops },
    { t: 'facts', record: other.state.own },
  ];
  const gossip = fc
    .constantFrom(...kinds)
    .chain((message) => fc.tuple(fc.constant(message), fc.constantFrom(...places(message)), junk))
    .map(([message, path, by]) => replaced(message, path, by));
  fc.assert(
    fc.property(gossip, (message) => {
      const { state } = self;
      self.step({ tag: 'gossip', from: other.id, message: message as never });
      self.run(50);
      self.state = state;
    }),
    { numRuns: 500 },
  );
});

test('what only a newer peer says is passed over in silence, and what is broken is told to the log', () => {
  expect(parsePeerMessage({ t: 'future', x: 1 }).tag).toBe('unknown');
  expect(parseGossip({ t: 'future' }).tag).toBe('unknown');
  expect(self.hear(other, { t: 'future' } as never).filter(({ tag }) => tag === 'alarm')).toEqual([]);
  const alarms = only(self.hear(other, { t: 'digest', digest: 7 } as never), 'alarm');
  expect(alarms.map(({ text }) => text)).toEqual(['message refused']);
});

test.each([
  ['a rumour of no peer', { t: 'ping', n: 1, rumours: [{ ...rumour, peer: 7 }], evidence: [] }, 'peer'],
  ['a state that no peer is in', { ...swims[1], rumours: [{ ...rumour, state: 'sad' }] }, 'state'],
  ['257 rumours', { ...swims[0], rumours: Array.from({ length: 257 }, () => rumour) }, 'rumours'],
  ['evidence of nothing', { ...swims[0], evidence: [{ ...evidence, found: 'x' }] }, 'found'],
  ['a count past 2^48', { ...swims[0], n: 2 ** 48 + 1 }, 'n'],
  ['a count below 0', { ...swims[1], incarnation: -1 }, 'incarnation'],
  ['a target too long', { ...swims[2], target: 'x'.repeat(129) }, 'target'],
  ['an answer that is neither yes nor no', { ...swims[3], ok: 1 }, 'ok'],
  ['a kind that there is not', { t: 'sing' }, 'message: t'],
])('a probe with %s is refused, and what is wrong is named', (_, message, field) => {
  const parsed = parsePeerMessage({ t: 'swim', message });
  expect(parsed.tag === 'broken' && parsed.reason.startsWith(`swim: ${field}: must be`)).toBe(true);
});

test('what a newer peer adds to a probe is left out', () => {
  const [ping] = swims;
  const newer = { ...ping, mood: 'fine', rumours: [{ ...rumour, mood: 'fine' }] };
  const parsed = parsePeerMessage({ t: 'swim', message: newer });
  expect(parsed.tag === 'message' && parsed.message).toEqual({ t: 'swim', message: ping });
});

test('a command that makes no sense is answered as such', () => {
  const command = { type: 'future.write', app: 7 };
  const effects = self.hear(other, { t: 'command', id: 'c1', command, context, vector: {} } as never);
  const [result] = only(effects, 'send').flatMap(({ message }) => (message.t === 'result' ? [message] : []));
  expect(result?.result).toMatchObject({ ok: false, error: { code: 'invalid_params' } });
});
