import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { PlatformError } from '../../src/errors.ts';
import { parseParams } from '../../src/platform/parse-params.ts';
import { ALL_ROUTES } from '../../agent/api/resources/all-routes.ts';
import type { Endpoint } from '../../src/platform/endpoint.ts';
import { appEndpoints } from '../../src/platform/endpoints/apps.ts';
import { configVarEndpoints } from '../../src/platform/endpoints/config-vars.ts';
import { domainEndpoints } from '../../src/platform/endpoints/domains.ts';
import { formationEndpoints } from '../../src/platform/endpoints/formation.ts';

function bodyOf<Body>({ body }: Endpoint<Body>): z.ZodType<Body> {
  if (body === null) throw new Error('This endpoint takes no body');
  return body;
}

test('a wrong parameter is named', () => {
  expect(() => parseParams(bodyOf(appEndpoints.update), { maintenance: 'on' })).toThrow(/"maintenance"/);
  expect(() =>
    parseParams(bodyOf(formationEndpoints.updateAll), { updates: [{ type: 'web', quantity: 'many' }] }),
  ).toThrow(/"updates\.0\.quantity"/);
});

test('sizes come in any case and are kept as the API prints them', () => {
  expect(parseParams(bodyOf(formationEndpoints.update), { size: 'standard-2x' })).toEqual({
    size: 'Standard-2X',
  });
});

test('a config patch takes strings and nulls under names that an environment can hold', () => {
  expect(parseParams(bodyOf(configVarEndpoints.update), { A: '', B: null })).toEqual({ A: '', B: null });
  for (const patch of [
    { '1A': 'x' },
    { A: 1 },
    { A: 'x\0y' },
    JSON.parse('{"__proto__":"x"}'),
    [],
    'x',
    null,
  ]) {
    expect(() => parseParams(bodyOf(configVarEndpoints.update), patch)).toThrow(PlatformError);
  }
});

test('host names are lower-cased; what is none is refused', () => {
  expect(parseParams(bodyOf(domainEndpoints.create), { hostname: 'WWW.Example.com' }).hostname).toBe(
    'www.example.com',
  );
  for (const hostname of ['localhost', 'a b.com', '-a.com', `${'a.'.repeat(200)}com`, '', 'a..com']) {
    expect(() => parseParams(bodyOf(domainEndpoints.create), { hostname })).toThrow(/"hostname"/);
  }
});

test('whatever is sent is parsed or refused as invalid_params', () => {
  const all = ALL_ROUTES.flatMap(({ endpoint }) => endpoint.body ?? []);
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
