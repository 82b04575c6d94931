import { describe, expect, test } from 'vitest';
import type { AppId, BlobId, DynoId, ReleaseId } from '../../src/ids.ts';
import { vectorOf } from '../../src/ledger/author-logs.ts';
import type { Command } from '../../src/ledger/command.ts';
import { homeKey, rendezvousOrder } from '../../src/ledger/home.ts';
import { nextWake } from '../../src/peer/machine.ts';
import { Bench, benches, foundingOps, meet, only, sentTo } from './builders.ts';

const APP = 'a0000000-0000-4000-8000-000000000001' as AppId;

/** Two members that see each other, with an app; the first is the app's home. */
function homeAndAsker(): { home: Bench; asker: Bench; patch: Command } {
  const [a, b] = two();
  const patch = { type: 'config.patch', app: APP, config: { KEY: Uint8Array.of(1) } } as const;
  a.command({ type: 'app.create', app: APP, name: 'blog', fallbackName: 'blog' });
  b.hear(a, { t: 'ops', ops: a.stored.map(({ bytes }) => bytes) });
  meet(a, b);
  const [home] = rendezvousOrder(homeKey(a.state.fold.view, patch) ?? '', [a.id, b.id]);
  return home === a.id ? { home: a, asker: b, patch } : { home: b, asker: a, patch };
}

function two(): [Bench, Bench] {
  const [a, b] = benches(2);
  if (a === undefined || b === undefined) throw new Error('two are two');
  return [a, b];
}

describe('a write', () => {
  test('at its home is stored before it is gossiped, and gossiped before it is answered', () => {
    const { home, patch } = homeAndAsker();
    const order = home.command(patch).map(({ tag }) => tag);
    const at = ['persist', 'gossip', 'answer'].map((tag) => order.indexOf(tag as never));
    expect(at.every((place, i) => place > (at[i - 1] ?? -1))).toBe(true);
  });

  test('elsewhere goes to its home, and is answered once its ops are here', () => {
    const { home, asker, patch } = homeAndAsker();
    const asked = sentTo(asker.command(patch), home);
    expect(asked.map(({ t }) => t)).toEqual(['command']);
    const served = home.hear(asker, asked[0] as never);
    const result = sentTo(served, asker).find(({ t }) => t === 'result');
    expect(only(asker.hear(home, result as never), 'answer')).toEqual([]);
    const ops = only(served, 'persist').flatMap((effect) => effect.ops.map(({ bytes }) => bytes));
    expect(only(asker.hear(home, { t: 'ops', ops }), 'answer')).toMatchObject([{ result: { ok: true } }]);
  });

  test('that its home has behind a hole in its own store, and does not tell of, is waited for all the same', () => {
    const { home, asker, patch } = homeAndAsker();
    const [asked] = sentTo(asker.command(patch), home);
    const served = home.hear(asker, asked as never);
    const result = sentTo(served, asker).find(({ t }) => t === 'result');
    const untold = { ...result, vector: vectorOf(asker.state.logs) };
    expect(only(asker.hear(home, untold as never), 'answer')).toEqual([]);
    const ops = only(served, 'persist').flatMap((effect) => effect.ops.map(({ bytes }) => bytes));
    expect(only(asker.hear(home, { t: 'ops', ops }), 'answer')).toMatchObject([{ result: { ok: true } }]);
  });

  test('that is too large for an op is refused, here and by its home', () => {
    const { home, asker } = homeAndAsker();
    const commands = Array.from({ length: 10 }, (_, at) => [`p${at}`, 'x'.repeat(30_000)] as const);
    const about = { id: 'b'.repeat(64) as BlobId, bytes: 1, arch: 'x64', stack: 'any', commit: null };
    const slug = { ...about, processTypes: Object.fromEntries(commands), buildpack: null, source: null };
    const large: Command = { type: 'release.deploy', app: APP, slug, description: 'Deploy' };
    const refused = [{ result: { ok: false, error: { code: 'too_large' } } }];
    expect(only(home.command(large), 'answer')).toMatchObject(refused);
    const [asked] = sentTo(asker.command(large), home);
    const [answer] = sentTo(home.hear(asker, asked as never), asker).filter(({ t }) => t === 'result');
    expect(only(asker.hear(home, answer as never), 'answer')).toMatchObject(refused);
  });

  test('whose home does not answer is made here', () => {
    const { home, asker, patch } = homeAndAsker();
    asker.command(patch);
    asker.step({ tag: 'disconnected', peer: home.id });
    const answers = only(asker.effects, 'answer').filter(({ id }) => id === 'config.patch');
    expect(answers).toMatchObject([{ result: { ok: true } }]);
  });

  test('whose home says nothing is made here after three seconds at most', () => {
    const { home, asker, patch } = homeAndAsker();
    asker.command(patch);
    // It pings as before; only the answer never comes.
    for (let ms = 0; ms < 7_000; ms += 100) {
      asker.run(100);
      const rumours = [{ peer: home.id, incarnation: 1, state: 'alive', by: home.id }] as const;
      asker.hear(home, { t: 'swim', message: { t: 'ping', n: ms, rumours, evidence: [] } });
    }
    expect(only(asker.effects, 'answer').filter(({ id }) => id === 'config.patch')).toHaveLength(1);
  });

  test('is not decided by a home that lacks what the asker has seen, before it has asked for that', () => {
    const { home, asker, patch } = homeAndAsker();
    asker.command({ type: 'key.rotate', key: 'k2' });
    const asked = sentTo(asker.command(patch), home).find(({ t }) => t === 'command');
    const effects = home.hear(asker, asked as never);
    expect(sentTo(effects, asker).map(({ t }) => t)).toEqual(['vector']);
    const ops = asker.stored.slice(-1).map(({ bytes }) => bytes);
    const later = home.hear(asker, { t: 'ops', ops });
    expect(sentTo(later, asker).map(({ t }) => t)).toContain('result');
  });

  test('of one id asked by two peers is answered to both', () => {
    const [a, b, c] = benches(3) as [Bench, Bench, Bench];
    meet(a, b);
    meet(a, c);
    b.command({ type: 'key.rotate', key: 'k2' });
    c.command({ type: 'key.rotate', key: 'k3' });
    const command = { type: 'key.rotate', key: 'k4' } as const;
    const context = { user: 'ann@example.com', request: null };
    for (const from of [b, c]) {
      const vector = Object.fromEntries([...from.state.logs].map(([key, log]) => [key, log.height]));
      a.hear(from, { t: 'command', id: 'same', command, context, vector });
    }
    const effects = a.run(2_500);
    for (const to of [b, c]) expect(sentTo(effects, to).filter(({ t }) => t === 'result')).toHaveLength(1);
  });
});

describe('synchronisation', () => {
  test('a new connection begins with our vector', () => {
    const [a, b] = two();
    expect(sentTo(a.step({ tag: 'connected', peer: b.id }), b).map(({ t }) => t)).toEqual(['vector']);
  });

  test('equal digests cost one message; different ones bring the vector', () => {
    const [a, b] = two();
    meet(a, b);
    const digest = sentTo(a.run(8_000), b).find(({ t }) => t === 'digest');
    expect(digest).toBeDefined();
    b.hear(a, { t: 'facts', records: [a.state.own] });
    a.hear(b, { t: 'facts', records: [b.state.own] });
    b.mono = a.mono;
    b.command({ type: 'key.rotate', key: 'k2' });
    expect(sentTo(b.hear(a, digest as never), a).map(({ t }) => t)).toEqual(['vector']);
  });

  test('a burst of gaps asks once', () => {
    const [a, b] = two();
    meet(a, b);
    a.run(1_000);
    for (const key of ['k1', 'k2', 'k3', 'k4']) b.command({ type: 'key.rotate', key });
    const asked = b.stored.slice(-3).flatMap(({ bytes }) => sentTo(a.hear(b, { t: 'ops', ops: [bytes] }), b));
    expect(asked.map(({ t }) => t)).toEqual(['vector']);
  });

  test('ops of strangers are not even looked at', () => {
    const [a] = two();
    const stranger = new Bench(9);
    const before = a.state.logs;
    a.hear(stranger, { t: 'ops', ops: a.stored.map(({ bytes }) => bytes) });
    expect(a.state.logs).toBe(before);
  });
});

describe('facts', () => {
  test('travel at most so often, however often they change', () => {
    const [a] = two();
    a.run(10_000);
    let said = 0;
    for (let i = 0; i < 200; i += 1) {
      a.step({ tag: 'blobs', held: [`${i}`.padStart(64, '0') as BlobId] });
      said += only(a.run(5), 'gossip').length;
    }
    expect(said).toBeLessThanOrEqual(17);
    expect(said).toBeGreaterThan(5);
  });

  test('that change nothing worth knowing are not published', () => {
    const [a] = two();
    a.run(10_000);
    a.step({ tag: 'load', load: a.state.own.load + 0.2 });
    expect(only(a.run(1_000), 'gossip')).toEqual([]);
  });

  test('that name other one-offs taken are published, and so is their end', () => {
    const [a] = two();
    a.run(10_000);
    const took = [{ dyno: 'd' as DynoId, name: 'run.7', release: 'r' as ReleaseId }];
    const list = a.state.oneOffs;
    const said = (): unknown[] =>
      only(a.run(1_000), 'gossip').map(({ message }) => message.t === 'facts' && message.record.tookOneOffs);
    a.step({ tag: 'oneOffs', list, took });
    expect(said()).toEqual([took]);
    a.step({ tag: 'oneOffs', list, took });
    expect(said()).toEqual([]);
    a.step({ tag: 'oneOffs', list, took: [] });
    expect(said()).toEqual([undefined]);
  });

  test('of an earlier run or an earlier count do not replace what is known', () => {
    const [a, b] = two();
    meet(a, b);
    const facts = (incarnation: number, counter: number) => ({ ...b.state.own, incarnation, counter });
    a.hear(b, { t: 'facts', records: [facts(3, 5)] });
    for (const old of [facts(3, 4), facts(2, 9), facts(3, 5)]) {
      a.hear(b, { t: 'facts', records: [old] });
      expect(a.state.facts.get(b.id)).toMatchObject({ incarnation: 3, counter: 5 });
    }
    a.hear(b, { t: 'facts', records: [facts(4, 0)] });
    expect(a.state.facts.get(b.id)).toMatchObject({ incarnation: 4, counter: 0 });
  });

  test('of a run that our disk has forgotten are outdone: the others believe what we say now', () => {
    const [a, b] = two();
    meet(a, b);
    const forgotten = { ...b.state.own, counter: b.state.own.counter + 8, draining: true };
    a.hear(b, { t: 'facts', records: [forgotten] });
    a.hear(b, { t: 'facts', records: [b.state.own] });
    expect(a.state.facts.get(b.id)).toMatchObject({ draining: true });
    const [vector] = sentTo(b.step({ tag: 'connected', peer: a.id }), a);
    const told = sentTo(a.hear(b, vector as never), b).find(({ t }) => t === 'facts');
    const persisted = (): unknown[] =>
      only(b.hear(a, told as never), 'persist').map(({ records }) => records);
    expect(persisted()).toContainEqual({ incarnation: forgotten.incarnation + 1 });
    expect(persisted()).toEqual([]);
    a.hear(b, { t: 'facts', records: [b.state.own] });
    expect(a.state.facts.get(b.id)).toMatchObject({ draining: false });
  });
});

test('a machine with nothing to do sleeps: a handful of wakes a second, whatever the time', () => {
  const [a] = two();
  a.run(60_000);
  let wakes = 0;
  const until = a.mono + 60_000;
  while (nextWake(a.state) <= until) {
    expect(nextWake(a.state)).toBeGreaterThan(a.mono);
    a.mono = nextWake(a.state);
    a.step({ tag: 'wake' });
    wakes += 1;
  }
  expect(wakes).toBeLessThan(60 * 4);
});

test('a peer whose store has a hole in its own log goes on in a new epoch, and gives out what lies behind it later', () => {
  const [a, b] = two();
  for (const key of ['k1', 'k2', 'k3']) b.command({ type: 'key.rotate', key });
  const [first, second, third] = b.stored;
  if (first === undefined || second === undefined || third === undefined)
    throw new Error('three were written');
  const own = `${b.id}/${b.state.epoch}`;
  const again = new Bench(2, { ops: [...foundingOps(2), first, third], epoch: b.state.epoch }, 2);
  expect(again.state.epoch).not.toBe(b.state.epoch);
  expect(again.state.logs.get(own)?.height).toBe(0);
  again.hear(a, { t: 'ops', ops: [second.bytes] });
  expect(again.state.logs.get(own)?.height).toBe(2);
  expect(again.state.stranded).toEqual([]);
});

test('what a removed peer had still sent is not heard any more', () => {
  const [a, b, c] = benches(3) as [Bench, Bench, Bench];
  meet(a, b);
  b.command({ type: 'key.rotate', key: 'k2' });
  const told = only(a.command({ type: 'member.remove', peer: b.id }), 'members').at(-1);
  expect(told?.members.map(({ peer }) => peer)).toEqual([c.id]);
  const { logs, facts } = a.state;
  a.hear(b, { t: 'ops', ops: b.stored.map(({ bytes }) => bytes) });
  a.hear(b, { t: 'facts', records: [{ ...b.state.own, counter: 9 }, c.state.own] });
  expect(a.state.logs).toBe(logs);
  expect(a.state.facts).toBe(facts);
});
