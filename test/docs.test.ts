import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { commandNames, findCommand } from '../cli/commands.ts';

const root = resolve(import.meta.dirname, '..');
const pages = globSync(['*.md', 'docs/*.md', 'samples/**/*.md'], { cwd: root }).filter(
  (page) => !page.includes('node_modules'),
);

function read(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

/** Text without code: neither links nor headings are looked for in it. */
function prose(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, (code) => ' '.repeat(code.length));
}

/** What GitHub makes of a heading for `#…`. */
function anchors(text: string): ReadonlySet<string> {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .trim()
        .replace(/ /g, '-'),
    ),
  );
}

test('docs/cli.md names every command of the CLI, with its one line, and no other', () => {
  const rows = [...read('docs/cli.md').matchAll(/^\| `kith (\S+)` \| (.+) \|$/gm)];
  const listed = rows.map(([, name = '', summary = '']) => [name, summary]);
  expect(listed).toEqual(commandNames().map((name) => [name, findCommand(name)?.summary]));
});

test('every command that a page tells people to type exists', () => {
  const wrong = pages.flatMap((page) =>
    [...read(page).matchAll(/(?:^ {4}|^\$ |`|\| )kith ([a-z][a-z:-]*)/gm)]
      .filter(([, name = '']) => findCommand(name) === null)
      .map(([, name]) => `${page}: kith ${name}`),
  );
  expect(wrong).toEqual([]);
});

test('every relative link leads to a file, and to a heading in it', () => {
  const wrong = pages.flatMap((page) =>
    [...prose(read(page)).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => {
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? page : join(dirname(page), path);
        if (!existsSync(join(root, file))) return true;
        return anchor !== undefined && !anchors(read(file)).has(anchor);
      })
      .map((target) => `${page}: ${target}`),
  );
  expect(wrong).toEqual([]);
});

test('every file and folder that ARCHITECTURE.md names exists', () => {
  const named = [...read('ARCHITECTURE.md').matchAll(/`((?:[\w.-]+\/)+[\w.-]*)`/g)].map(
    ([, path = '']) => path,
  );
  const ours = named.filter((path) => /^(?:agent|buildpacks|cli|docs|samples|scripts|src|test)\//.test(path));
  expect(ours.length).toBeGreaterThan(100);
  expect(ours.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
