import { expect, test } from 'vitest';
import { Turnstile } from '../../agent/lib/turnstile.ts';

const never = new AbortController().signal;

/** Work that goes on until it is told to end. */
function work(): { readonly end: () => void; readonly done: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { end: resolve, done: promise };
}

test('so many are inside at one time, and the others come in their order', async () => {
  const turns = new Turnstile(1);
  const [first, order] = [work(), [] as string[]];
  const all = [
    turns.run(never, () => first.done),
    turns.run(never, async () => void order.push('b')),
    turns.run(never, async () => void order.push('c')),
  ];
  expect(order).toEqual([]);
  first.end();
  await Promise.all(all);
  expect(order).toEqual(['b', 'c']);
});

test('who gives up while waiting is passed over', async () => {
  const turns = new Turnstile(1);
  const [first, leaving] = [work(), new AbortController()];
  const inside = turns.run(never, () => first.done);
  const left = turns.run(leaving.signal, async () => 'in');
  const next = turns.run(never, async () => 'in');
  leaving.abort(new Error('gone'));
  await expect(left).rejects.toThrow('gone');
  first.end();
  await inside;
  expect(await next).toBe('in');
});

test('who gives up at the moment that it is let in takes nobody else’s place along', async () => {
  const turns = new Turnstile(1);
  const [first, leaving] = [work(), new AbortController()];
  const inside = turns.run(never, () => first.done);
  const last = turns.run(leaving.signal, async () => 'in');
  const next = turns.run(never, async () => 'in');
  // Right after the place was given on, and before whoever has it now goes on.
  const abort = first.done.then(() => leaving.abort());
  first.end();
  await Promise.allSettled([inside, abort, last]);
  expect(await next).toBe('in');
});
