import { expect, test } from 'vitest';
import { atInternalHost, withInternalHost } from '../src/internal-host.ts';

const HERE = '127.70.1.2';

test('values that name the internal host name this peer’s address, and the variable says it too', () => {
  const env = {
    DATABASE_URL: 'postgres://u:p@kith.internal:61432/db?host=kith.internal',
    REDIS_HOST: 'Kith.Internal',
    KITH_INTERNAL_HOST: 'of somebody',
    'kith.internal': 'name',
  };
  expect(withInternalHost(env, HERE)).toEqual({
    DATABASE_URL: `postgres://u:p@${HERE}:61432/db?host=${HERE}`,
    REDIS_HOST: HERE,
    KITH_INTERNAL_HOST: HERE,
    'kith.internal': 'name',
  });
});

test('no other name that has it in it is touched', () => {
  for (const value of [
    'db.kith.internal',
    'kith.internal.example.com',
    'mykith.internal',
    'kith.internals',
    'kith-internal',
    'kith.internal-2',
  ])
    expect(atInternalHost(value, HERE)).toBe(value);
  expect(atInternalHost('see kith.internal.', HERE)).toBe(`see ${HERE}.`);
  expect(atInternalHost('["kith.internal:61001","kith.internal:61002"]', HERE)).toBe(
    `["${HERE}:61001","${HERE}:61002"]`,
  );
});
