import { expect, test } from 'vitest';
import { FailedLogins } from '../../agent/addons/failed-logins.ts';

/** Wrong passwords of one address until it has to wait. @returns ms that it waits, from the `count`th on */
function waitsOf(count: number): readonly number[] {
  let now = 0;
  const logins = new FailedLogins(() => now);
  return Array.from({ length: count }, () => {
    logins.note('acme', '10.0.0.1');
    const before = now;
    while (isRefused(logins, 'acme', '10.0.0.1')) now += 500;
    return now - before;
  });
}

function isRefused(logins: FailedLogins, service: string, address: string): boolean {
  try {
    logins.mustNotWait(service, address);
    return false;
  } catch (error) {
    expect(error).toMatchObject({ code: 'rate_limit', message: expect.stringContaining(service) as string });
    return true;
  }
}

test('after five wrong passwords each further one waits twice as long, up to a minute', () => {
  expect(waitsOf(13)).toEqual([
    0, 0, 0, 0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000,
  ]);
});

test('others wait for nobody: not the same provider elsewhere, and no other provider at that address', () => {
  const logins = new FailedLogins(() => 0);
  for (let i = 0; i < 9; i++) logins.note('acme', '10.0.0.1');
  expect(isRefused(logins, 'acme', '10.0.0.1')).toBe(true);
  expect(isRefused(logins, 'acme', '10.0.0.2')).toBe(false);
  expect(isRefused(logins, 'other', '10.0.0.1')).toBe(false);
});

test('what failed a quarter of an hour ago is forgotten, and so is the oldest of very many', () => {
  let now = 0;
  const logins = new FailedLogins(() => now);
  for (let i = 0; i < 9; i++) logins.note('acme', '10.0.0.1');
  for (let i = 0; i < 2_000; i++) logins.note('acme', `10.1.${i >> 8}.${i & 255}`);
  expect(isRefused(logins, 'acme', '10.0.0.1')).toBe(false);
  for (let i = 0; i < 9; i++) logins.note('acme', '10.0.0.1');
  now = 16 * 60_000;
  logins.note('acme', '10.0.0.1');
  expect(isRefused(logins, 'acme', '10.0.0.1')).toBe(false);
});
