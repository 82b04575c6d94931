import type { Commands } from './procfile.ts';

/**
 * Reads `default_process_types` out of what a buildpack's `bin/release` prints. That is YAML, of which real buildpacks
 * use one shape: top-level keys, and under this one `type: command` lines, quoted or not. The rest is ignored.
 */
export function parseReleaseDefaults(text: string): Commands {
  const commands = new Map<string, string>();
  let isInside = false;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(?:#.*)?$/.test(line) || line.startsWith('---')) continue;
    if (/^\S/.test(line)) isInside = /^default_process_types:\s*(?:#.*)?$/.test(line);
    else if (isInside) {
      const [, type, value] = /^\s+["']?([A-Za-z0-9_-]+)["']?:\s+(.+?)\s*$/.exec(line) ?? [];
      if (type !== undefined && value !== undefined) commands.set(type, unquote(value));
    }
  }
  return Object.fromEntries(commands);
}

function unquote(value: string): string {
  if (/^'.*'$/.test(value)) return value.slice(1, -1).replaceAll("''", "'");
  if (/^".*"$/.test(value)) return value.slice(1, -1).replaceAll(/\\(["\\])/g, '$1');
  return value;
}
