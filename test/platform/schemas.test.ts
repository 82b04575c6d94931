import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { PlatformError } from '../../src/errors.ts';
import { parseParams } from '../../src/platform/parse-params.ts';
import * as schemas from '../../src/platform/schemas.ts';

test('a wrong parameter is named', () => {
  expect(() => parseParams(schemas.appUpdateSchema, { maintenance: 'on' })).toThrow(/"maintenance"/);
  expect(() =>
    parseParams(schemas.formationBatchSchema, { updates: [{ type: 'web', quantity: 'many' }] }),
  ).toThrow(/"updates\.0\.quantity"/);
});

test('sizes come in any case and are kept as the API prints them', () => {
  expect(parseParams(schemas.formationPatchSchema, { size: 'standard-2x' })).toEqual({ size: 'Standard-2X' });
});

test('a config patch takes strings and nulls under names that an environment can hold', () => {
  expect(parseParams(schemas.configPatchSchema, { A: '', B: null })).toEqual({ A: '', B: null });
  for (const patch of [
    { '1A': 'x' },
    { A: 1 },
    { A: 'x\0y' },
    JSON.parse('{"__proto__":"x"}'),
    [],
    'x',
    null,
  ]) {
    expect(() => parseParams(schemas.configPatchSchema, patch)).toThrow(PlatformError);
  }
});

test('host names are lower-cased; what is none is refused', () => {
  expect(parseParams(schemas.domainCreateSchema, { hostname: 'WWW.Example.com' }).hostname).toBe(
    'www.example.com',
  );
  for (const hostname of ['localhost', 'a b.com', '-a.com', `${'a.'.repeat(200)}com`, '', 'a..com']) {
    expect(() => parseParams(schemas.domainCreateSchema, { hostname })).toThrow(/"hostname"/);
  }
});

test('whatever is sent is parsed or refused as invalid_params', () => {
  const all: readonly z.ZodType[] = Object.values(schemas).filter((each) => typeof each === 'object');
  fc.assert(
    fc.property(fc.constantFrom(...all), fc.jsonValue(), (schema, value) => {
      try {
        parseParams(schema, value);
      } catch (error) {
        expect(error).toMatchObject({ code: 'invalid_params' });
      }
    }),
  );
});
