import { expect, test } from 'vitest';
import { hideSecrets, parseDrainUrl } from '../src/drain-url.ts';

test('URLs of drains say where, and how', () => {
  expect(parseDrainUrl('syslog://logs.example.com')).toEqual({
    via: 'syslog',
    host: 'logs.example.com',
    port: 514,
    isSecure: false,
  });
  expect(parseDrainUrl('syslog+tls://[::1]:1234/')).toEqual({
    via: 'syslog',
    host: '::1',
    port: 1234,
    isSecure: true,
  });
  expect(parseDrainUrl('https://ann:s%40cret@logs.example.com/in?x=1')).toEqual({
    via: 'http',
    url: 'https://logs.example.com/in?x=1',
    authorization: `Basic ${Buffer.from('ann:s@cret').toString('base64')}`,
  });
  expect(parseDrainUrl('http://127.0.0.1:8080/')).toMatchObject({ authorization: null });
});

test.each([
  '',
  'logs.example.com:514',
  'ftp://logs.example.com',
  'syslog://',
  'syslog://u:p@host:1',
  'syslog://host:1/path',
  'syslog://host:0',
  'https://host/#part',
  'https://host/a b',
  'https://host:99999/',
  'https://%zz:x@host/',
  `https://host/${'x'.repeat(2_000)}`,
])('%j is refused', (url) => {
  expect(() => parseDrainUrl(url)).toThrow(/^Url is invalid/);
});

test('a refusal does not repeat the password', () => {
  expect(() => parseDrainUrl('https://ann:hunter2@host/#x')).toThrow(expect.not.stringContaining('hunter2'));
});

test('who may not see the secrets sees where the lines go', () => {
  expect(hideSecrets('https://ann:hunter2@logs.example.com/in?key=hunter2&x')).toBe(
    'https://xxxxx:xxxxx@logs.example.com/xxxxx?xxxxx',
  );
  expect(hideSecrets('https://logs.example.com:99/')).toBe('https://logs.example.com:99/');
  expect(hideSecrets('syslog+tls://logs.example.com:6514')).toBe('syslog+tls://logs.example.com:6514');
});
