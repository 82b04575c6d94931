import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { PlatformError } from '../../src/errors.ts';
import { parseDockerignore } from '../../src/builds/dockerignore.ts';
import { parseHerokuYaml } from '../../src/builds/heroku-yaml.ts';
import { parseSmallYaml } from '../../src/builds/small-yaml.ts';

test('a heroku.yml says what is built, with which arguments, and what is run', () => {
  const text = `
# Deploys the blog
build:
  docker:
    web: docker/Dockerfile   # one image
    worker: docker/Dockerfile
  config:
    RAILS_ENV: production
    GREETING: "hello: # world"
release:
  image: worker
  command:
    - ./migrate.sh --all
run:
  web: bundle exec puma -p $PORT
  worker:
    command:
      - python
      - worker.py
    image: worker
  clock: ['/bin/clock', "--fast"]
  long: |
    first
    second # not a comment
`;
  expect(parseHerokuYaml(text)).toEqual({
    dockerfile: 'docker/Dockerfile',
    args: { RAILS_ENV: 'production', GREETING: 'hello: # world' },
    release: './migrate.sh --all',
    run: {
      web: 'bundle exec puma -p $PORT',
      worker: '["python","worker.py"]',
      clock: '["/bin/clock","--fast"]',
      long: 'first\nsecond # not a comment',
    },
  });
});

test('a heroku.yml without a section leaves it open', () => {
  expect(parseHerokuYaml('build:\n  docker:\n    web: Dockerfile\n')).toEqual({
    dockerfile: 'Dockerfile',
    args: {},
    run: null,
    release: null,
  });
  expect(
    parseHerokuYaml('setup:\n  addons:\n  - plan: x\n'.replace('- plan: x', '- x')).dockerfile,
  ).toBeNull();
});

test('what cannot be used is refused by its line or its key', () => {
  const refusals: readonly (readonly [string, string])[] = [
    ['build: &a\n', 'Cannot read line 1 of heroku.yml: "&" is not read here'],
    ['run:\n  web: x\n  web: y\n', 'Cannot read line 3 of heroku.yml: "web" stands there twice'],
    ['build:\n    docker:\n  config:\n', 'Cannot read line 3 of heroku.yml'],
    ['just text\n', 'Cannot use heroku.yml: it must hold "key: value" lines'],
    ['build:\n  docker:\n    web: A\n    worker: B\n', 'build.docker names 2 Dockerfiles (A, B)'],
    ['run:\n  web:\n', '"run.web" must'],
    ['run:\n  "a b": x\n', '"a b" under "run" is no process type'],
    ["run:\n  web: 'x\n", 'a quote is not closed'],
  ];
  for (const [text, message] of refusals) expect(() => parseHerokuYaml(text), text).toThrow(message);
});

test('no text breaks the reader: it is read, or refused with a reason', () => {
  const text = fc.array(
    fc.constantFrom('a', ':', ' ', '\n', '-', '"', "'", '[', ']', '|', '#', '  ', 'b: c', ','),
    {
      maxLength: 60,
    },
  );
  fc.assert(
    fc.property(text, (parts) => {
      try {
        parseSmallYaml(parts.join(''), 'x');
      } catch (error) {
        expect(error).toBeInstanceOf(PlatformError);
      }
    }),
  );
});

test('a .dockerignore leaves out what it names from the root, with all that is below, and takes back', () => {
  const ignores = parseDockerignore(
    '# comment\nnode_modules\n*.log\n**/tmp\ndocs/**\n!docs/README.md\n/secret?.txt\n',
  );
  const ignored = [
    'node_modules',
    'node_modules/a/b.js',
    'x.log',
    'tmp',
    'a/b/tmp/c',
    'docs/a',
    'secret1.txt',
  ];
  const kept = [
    'src/node_modules',
    'a/x.log',
    'docs/README.md',
    'secret.txt',
    'a/secret1.txt',
    'tmpx',
    'Dockerfile',
  ];
  expect(ignored.filter((path) => !ignores(path))).toEqual([]);
  expect(kept.filter((path) => ignores(path))).toEqual([]);
});

test('no line of a .dockerignore can throw', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (line, path) => typeof parseDockerignore(line)(path) === 'boolean'),
  );
});
