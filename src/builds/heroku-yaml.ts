import { PlatformError } from '../errors.ts';
import { PROCESS_TYPE_PATTERN } from '../ids.ts';
import type { Commands } from './procfile.ts';
import { parseSmallYaml, type Yaml } from './small-yaml.ts';

/** What a heroku.yml asks for. https://devcenter.heroku.com/articles/build-docker-images-heroku-yml */
export type HerokuYaml = {
  /** The Dockerfile that the app is built from; null: the file names none. */
  readonly dockerfile: string | null;
  /** Values of the Dockerfile's ARGs. */
  readonly args: Readonly<Record<string, string>>;
  /** Commands by process type, `release` among them; null: none are given. */
  readonly run: Commands | null;
  readonly release: string | null;
};

const FILE = 'heroku.yml';

/** @throws PlatformError `build_failed` saying what is wrong with it */
export function parseHerokuYaml(text: string): HerokuYaml {
  const document = mapOf(parseSmallYaml(text, FILE), 'it');
  const build = mapOf(document['build'] ?? {}, 'build');
  const run = document['run'] === undefined ? null : mapOf(document['run'], 'run');
  const release = document['release'];
  return {
    dockerfile: dockerfileOf(mapOf(build['docker'] ?? {}, 'build.docker')),
    args: argsOf(mapOf(build['config'] ?? {}, 'build.config')),
    run: run === null ? null : commandsOf(run),
    release:
      release === undefined ? null : commandOf(mapOf(release, 'release')['command'], 'release.command'),
  };
}

/** Here an app is one image, which all its process types run. */
function dockerfileOf(images: Readonly<Record<string, Yaml>>): string | null {
  const files = new Set(Object.entries(images).map(([type, file]) => textOf(file, `build.docker.${type}`)));
  if (files.size > 1) {
    throw flawed(
      `build.docker names ${files.size} Dockerfiles (${[...files].join(', ')}), an app is one image here`,
      {
        hint: 'Build one Dockerfile, and give each process type its command under "run"',
      },
    );
  }
  return [...files][0] ?? null;
}

function argsOf(config: Readonly<Record<string, Yaml>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key, textOf(value, `build.config.${key}`)]),
  );
}

function commandsOf(run: Readonly<Record<string, Yaml>>): Commands {
  return Object.fromEntries(
    Object.entries(run).map(([type, value]) => {
      if (!PROCESS_TYPE_PATTERN.test(type)) throw flawed(`"${type}" under "run" is no process type`);
      const isPlain = typeof value === 'string' || Array.isArray(value);
      const at = `run.${type}`;
      return [type, isPlain ? commandOf(value, at) : commandOf(mapOf(value, at)['command'], `${at}.command`)];
    }),
  );
}

/** A text is for a shell, and so is a list of one; more are a program and its arguments. */
function commandOf(value: Yaml | undefined, at: string): string {
  if (!Array.isArray(value)) return textOf(value, at).trim();
  const words = value.map((word: Yaml) => textOf(word, at));
  return words.length === 1 ? (words[0] ?? '').trim() : JSON.stringify(words);
}

function textOf(value: Yaml | undefined, at: string): string {
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw flawed(`"${at}" must be a text`);
}

function mapOf(value: Yaml, at: string): Readonly<Record<string, Yaml>> {
  if (value === '') return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Readonly<Record<string, Yaml>>;
  throw flawed(`${at === 'it' ? at : `"${at}"`} must hold "key: value" lines`);
}

function flawed(found: string, options: { hint?: string } = {}): PlatformError {
  return new PlatformError('build_failed', `Cannot use ${FILE}: ${found}`, options);
}
