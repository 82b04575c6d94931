import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CertId, OpId } from '../../src/ids.ts';
import type { Cert } from '../../src/ledger/domains/cert-types.ts';
import { acmStanding, backOffMs, failureStatus, orderDueAt, renewalDueAt } from '../../src/platform/acm.ts';
import { app } from './builders.ts';

const DAY = 24 * 3_600_000;
const DOMAIN = { hostname: 'www.example.com', domain: 'd1', createdAt: 0, cert: null };

function certOf(chain: string, acm: string | null = 'd1', days = 90): Cert {
  const facts = {
    names: [DOMAIN.hostname],
    startsAt: 0,
    expiresAt: days * DAY,
    issuer: '',
    subject: '',
    trusted: true,
  };
  const named = { id: `cert ${chain}` as CertId, name: 'otter-1', displayName: null, key: new Uint8Array() };
  return { ...named, chain, facts, acm, createdAt: 0, updatedAt: 0 };
}

const of = (fields: Parameters<typeof app>[1]) =>
  app([], { acm: { on: true, ask: 'op' as OpId, domains: new Map() }, ...fields });
const withCert = (cert: Cert) => new Map([[cert.id, cert]]);

test('a certificate is renewed when two thirds of its life are over or a little before, as its own jitter has it', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 800 }), (chain, days) => {
      const at = renewalDueAt(certOf(chain, 'd1', days)) / (days * DAY);
      expect(at).toBeGreaterThan(0.6);
      expect(at).toBeLessThanOrEqual(2 / 3);
    }),
  );
  expect(renewalDueAt(certOf('a'))).not.toBe(renewalDueAt(certOf('b')));
});

test('an order is due at once where there is no certificate, and never before the authority allows', () => {
  expect(orderDueAt({ app: of({}), domain: DOMAIN, cert: null })).toBe(0);
  const failure = { reason: 'too many', status: 'failing', notBefore: 7 * DAY, at: 1 } as const;
  const limited = of({
    acm: { on: true, ask: null, domains: new Map([['d1', { challenges: [], failure }]]) },
  });
  expect(orderDueAt({ app: limited, domain: DOMAIN, cert: null })).toBe(7 * DAY);
  expect(orderDueAt({ app: limited, domain: DOMAIN, cert: certOf('a') })).toBe(renewalDueAt(certOf('a')));
});

test('the back-off doubles from a minute to twelve hours, and calls it failed after a quarter of an hour', () => {
  const minutes = [1, 2, 3, 4, 5, 11, 40].map((failures) => backOffMs(failures, 0.5) / 60_000);
  expect(minutes).toEqual([1, 2, 4, 8, 16, 720, 720]);
  expect(backOffMs(1, 0)).toBeLessThan(60_000);
  expect([1, 4, 5, 9].map(failureStatus)).toEqual(['failing', 'failing', 'failed', 'failed']);
});

test('how it stands with a domain is told in the words of Heroku, with the reason where there is one', () => {
  const going = (domain: object) => ({ on: true, ask: null, domains: new Map([['d1', domain]]) }) as never;
  const challenges = [{ token: 't', authorization: 't.x', expiresAt: 1 }];
  const failure = { reason: 'refused', status: 'failing', notBefore: null, at: 1 };
  const standings = [
    app(),
    of({}),
    of({ acm: going({ challenges, failure: null }) }),
    of({ acm: going({ challenges, failure }) }),
    of({ certs: withCert(certOf('ordered')) }),
    of({ certs: withCert(certOf('added', null)), acm: going({ challenges: [], failure }) }),
  ].map((each) => acmStanding(each, DOMAIN));
  expect(standings).toEqual([
    { status: null, reason: null },
    { status: 'pending', reason: null },
    { status: 'in-progress', reason: null },
    { status: 'failing', reason: 'refused' },
    { status: 'cert issued', reason: null },
    { status: 'cert issued', reason: null },
  ]);
  expect(acmStanding(of({}), { ...DOMAIN, hostname: '*.example.com' })).toMatchObject({
    status: 'failed',
    reason: expect.stringContaining('wildcard'),
  });
});
