import { expect, test } from 'vitest';
import type { AppId, CertId } from '../../src/ids.ts';
import { coversName } from '../../src/covers-name.ts';
import { chooseCertificate } from '../../src/routing/choose-certificate.ts';
import type { CertTable } from '../../src/routing/choose-certificate.ts';

const BLOG = 'blog' as AppId;
const SHOP = 'shop' as AppId;
const id = (text: string): CertId => text as CertId;

function table(
  certs: Record<string, [AppId, ...string[]]>,
  ofDomains: Record<string, string> = {},
): CertTable {
  return {
    certs: Object.fromEntries(
      Object.entries(certs).map(([key, [app, ...names]]) => [key, { app, names, cert: key, key }]),
    ),
    ofDomains: Object.fromEntries(Object.entries(ofDomains).map(([host, cert]) => [host, id(cert)])),
    ofApps: {},
    fallback: null,
  };
}

test.for([
  ['www.example.com', 'www.example.com', true],
  ['*.example.com', 'www.example.com', true],
  ['*.example.com', 'example.com', false],
  ['*.example.com', 'a.www.example.com', false],
  ['*.example.com', '.example.com', false],
  ['www.example.com', 'WWW.example.com', false],
] as const)('%s covers %s: %s', ([pattern, name, expected]) => {
  expect(coversName(pattern, name)).toBe(expected);
});

test('an exact name beats a wildcard, and of two alike the first is taken', () => {
  const certs = table({
    wild: [BLOG, '*.example.com'],
    late: [BLOG, 'www.example.com'],
    soon: [BLOG, 'www.example.com'],
  });
  expect(chooseCertificate(certs, BLOG, 'www.example.com')).toBe('late');
  expect(chooseCertificate(certs, BLOG, 'api.example.com')).toBe('wild');
  expect(chooseCertificate(certs, BLOG, 'example.org')).toBeNull();
});

test("another app's certificate is never shown, however well it fits", () => {
  const certs = table({ shop: [SHOP, '*.example.com', 'www.example.com'] }, { '*.example.com': 'shop' });
  expect(chooseCertificate(certs, BLOG, 'www.example.com')).toBeNull();
  expect(chooseCertificate(certs, SHOP, 'www.example.com')).toBe('shop');
});

test('what a domain was given comes before what fits better, and is shown even where nothing fits', () => {
  const certs = table(
    { wild: [BLOG, '*.example.com'], exact: [BLOG, 'www.example.com'] },
    { 'www.example.com': 'wild', 'example.org': 'exact' },
  );
  expect(chooseCertificate(certs, BLOG, 'www.example.com')).toBe('wild');
  expect(chooseCertificate(certs, BLOG, 'example.org')).toBe('exact');
});

test('what a domain was given gives way to what fits, where it does not fit itself', () => {
  const certs = table(
    { stale: [BLOG, 'old.example.com'], exact: [BLOG, 'www.example.com'] },
    { 'www.example.com': 'stale' },
  );
  expect(chooseCertificate(certs, BLOG, 'www.example.com')).toBe('exact');
});
