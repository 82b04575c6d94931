import { expect, test } from 'vitest';
import { addressHere } from '../../agent/addons/address-here.ts';

const here = addressHere('127.64.1.2');

test.each([
  ['postgres://kith:pw@kith.internal:61234/postgres', 'postgres://kith:pw@127.64.1.2:61234/postgres'],
  ['redis://kith:pw@kith.internal:61234/3', 'redis://kith:pw@127.64.1.2:61234/3'],
  [
    'postgres://kith:kith.internal@10.0.0.7/x?sslmode=require',
    'postgres://kith:kith.internal@10.0.0.7/x?sslmode=require',
  ],
])('%s is %s to a peer', (address, expected) => {
  expect(here(new URL(address)).href).toBe(expected);
});
