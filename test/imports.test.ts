import { readFileSync } from 'node:fs';
import { globSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');

/** Every import of our own files, as [from, to] relative to the root. */
function ownImports(pattern: string): [string, string][] {
  return globSync(pattern, { cwd: root }).flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const found = [...text.matchAll(/(?:from|import)\s*\(?'(\.{1,2}\/[^']+)'/g)];
    return found.map(([, path = '']): [string, string] => [
      file,
      relative(root, resolve(root, dirname(file), path)),
    ]);
  });
}

const folderOf = (file: string): string => file.split('/').slice(0, 2).join('/');

test('the core imports nothing of the shell or the CLI', () => {
  const wrong = ownImports('src/**/*.ts').filter(([, to]) => !to.startsWith('src/'));
  expect(wrong).toEqual([]);
});

test('the core touches no socket, file, clock or chance', () => {
  const modules =
    /from 'node:(?!crypto'|stream'|http')[^']+'|Date\.now\(|performance\.now\(|Math\.random\(|random(?:Bytes|UUID|Int)\(/;
  const wrong = globSync('src/**/*.ts', { cwd: root }).filter((file) => {
    const code = readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    return modules.test(code);
  });
  expect(wrong).toEqual([]);
});

test('the CLI imports the core and never the agent', () => {
  const wrong = ownImports('cli/**/*.ts').filter(
    ([, to]) => !to.startsWith('src/') && !to.startsWith('cli/'),
  );
  expect(wrong).toEqual([]);
});

test('folders of the agent do not import one another; only what wires them together sees them all', () => {
  const wiring = new Set(['agent/agent.ts', 'agent/main.ts', 'agent/boot', 'agent/peer']);
  const wrong = ownImports('agent/**/*.ts').filter(([from, to]) => {
    if (!to.startsWith('agent/') || wiring.has(folderOf(from))) return false;
    return folderOf(from) !== folderOf(to) && folderOf(to) !== 'agent/lib';
  });
  expect(wrong).toEqual([]);
});

test('inside the core, only the peer sees all its siblings', () => {
  const open = new Set(['src/ledger', 'src/shell']);
  const wrong = ownImports('src/**/*.ts').filter(([from, to]) => {
    const [a, b] = [folderOf(from), folderOf(to)];
    if (a === b || a === 'src/peer' || a === 'src/shell' || b.endsWith('.ts')) return false;
    return a === 'src/ledger' || !open.has(b);
  });
  expect(wrong.filter(([, to]) => !to.endsWith('types.ts'))).toEqual([]);
});

test('no file comes back to itself by what it imports', () => {
  const imports = Map.groupBy(
    ['src', 'agent', 'cli'].flatMap((folder) => ownImports(`${folder}/**/*.ts`)),
    ([from]) => from,
  );
  // The lists of commands load each when it runs, `help` too, which shows the lists.
  const targets = (file: string): string[] =>
    file.startsWith('cli/command-groups/') ? [] : (imports.get(file) ?? []).map(([, to]) => to);
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
    if (done.has(file) || path.includes(file)) return;
    for (const target of targets(file)) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  expect(circles).toEqual([]);
});
