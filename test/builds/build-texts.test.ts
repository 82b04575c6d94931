import { expect, test } from 'vitest';
import { mustBeOpenToAll, parseBuildpack } from '../../src/builds/buildpack-choice.ts';
import { describeProcessTypes, processTypes } from '../../src/builds/process-types.ts';
import { parseReleaseDefaults } from '../../src/builds/release-yaml.ts';

test('a buildpack may be named, or be a folder, a git URL or a tar URL', () => {
  for (const text of ['nodejs', 'heroku/nodejs', 'kith/nodejs', 'urn:buildpack:heroku/nodejs'])
    expect(parseBuildpack(text)).toEqual({ tag: 'bundled', name: 'nodejs' });
  expect(parseBuildpack('/opt/packs/x')).toEqual({ tag: 'folder', path: '/opt/packs/x' });
  expect(parseBuildpack('https://example.com/x.tgz')).toEqual({
    tag: 'tar',
    url: 'https://example.com/x.tgz',
  });
  expect(parseBuildpack('https://example.com/x.git#v2')).toEqual({
    tag: 'git',
    url: 'https://example.com/x.git',
    ref: 'v2',
  });
  expect(parseBuildpack('https://example.com/x')).toEqual({
    tag: 'git',
    url: 'https://example.com/x',
    ref: null,
  });
});

test('who is no admin names no buildpack that is read with the rights of the host, unless it is the app’s already', () => {
  for (const text of ['/etc', 'file:///etc', 'FILE:///etc', 'ssh://a@b/c', 'git@example.com:c.git'])
    expect(() => mustBeOpenToAll(['nodejs', text], ['/opt/x'])).toThrow(`may name the buildpack "${text}"`);
  mustBeOpenToAll(
    ['nodejs', 'heroku/go', 'https://a@example.com/x.git', 'git://example.com/x', '/opt/x'],
    ['/opt/x'],
  );
});

test('what names no buildpack is refused with what there is', () => {
  expect(() => parseBuildpack('heroku/cobol')).toThrow('No buildpack is called "heroku/cobol"');
  expect(() => parseBuildpack('https://example.com/x#--upload-pack=evil')).toThrow('Cannot understand');
  expect(() => parseBuildpack('')).toThrow('Cannot understand');
});

test('the Procfile wins over the defaults of the buildpack', () => {
  const types = processTypes({ web: 'mine', worker: 'w' }, { web: 'theirs', clock: 'c' });
  expect(types.all).toEqual({ web: 'mine', worker: 'w', clock: 'c' });
  expect(describeProcessTypes(types, 'Node.js')).toEqual([
    '       Procfile declares types   -> web, worker',
    '       Default types for Node.js -> clock',
  ]);
});

test('the default process types of bin/release are read, whatever else it prints', () => {
  const text = `---\naddons: []\ndefault_process_types:\n  web: npm start\n  'worker': "node \\"w\\".js"\nconfig_vars:\n  A: b\n`;
  expect(parseReleaseDefaults(text)).toEqual({ web: 'npm start', worker: 'node "w".js' });
  expect(parseReleaseDefaults('default_process_types: {}\n')).toEqual({});
  expect(parseReleaseDefaults('')).toEqual({});
});
