import { PlatformError } from '../errors.ts';

/** Process types and the shell command of each, in the order of the file. */
export type Commands = Readonly<Record<string, string>>;

const DECLARATION = /^([A-Za-z0-9_-]{1,128}):\s*(.+)$/;

/**
 * Reads a Procfile: `type: command` a line; blank lines and `#` comments are skipped, the last of two lines for one
 * type wins.
 * @throws PlatformError `build_failed` for any other line, naming its number and text
 * @see https://devcenter.heroku.com/articles/procfile#procfile-format
 */
export function parseProcfile(text: string): Commands {
  const commands = new Map<string, string>();
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const [, type, command] = DECLARATION.exec(line) ?? [];
    if (type === undefined || command === undefined) {
      throw new PlatformError(
        'build_failed',
        `Cannot read line ${index + 1} of the Procfile: found "${line.slice(0, 200)}"`,
        { hint: 'Each line declares one process type, as in `web: npm start`' },
      );
    }
    commands.set(type, command.trim());
  }
  return Object.fromEntries(commands);
}
