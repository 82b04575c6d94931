import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { createInterface } from 'node:readline';
import type { Quarantine } from './git-process.ts';

/** What git asks the agent before it accepts a push. */
export type Push = { readonly quarantine: Quarantine; readonly updates: readonly RefUpdate[] };
export type RefUpdate = { readonly old: string; readonly new: string; readonly ref: string };

/**
 * The pre-receive hook of every repository. Descriptor 3 is a socket that the agent handed to `git receive-pack` and that
 * git hands on: the hook tells what is pushed, then shows each line that comes back (git sends it to the pusher as
 * `remote: …`), until the line that bears this push's one-time secret gives the verdict. A push that does not come
 * through the agent has no descriptor 3 and is refused.
 */
const HOOK = `#!/bin/sh
{
  printf '%s\\n' "$GIT_OBJECT_DIRECTORY" "$GIT_ALTERNATE_OBJECT_DIRECTORIES" || exit 1
  cat
  echo
} >&3 || exit 1
while IFS= read -r line <&3; do
  case "$line" in
    "$KITH_VERDICT accept") exit 0 ;;
    "$KITH_VERDICT reject") exit 1 ;;
    *) printf '%s\\n' "$line" ;;
  esac
done
exit 1
`;

/** Writes the hook into a folder for \`core.hooksPath\`. */
export async function writeHooks(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const path = join(dir, 'pre-receive');
  await writeFile(path, HOOK);
  await chmod(path, 0o755);
}

/** Reads what the hook tells; null when the push ended before (it carried no ref update, or broke off). */
export async function readPush(socket: Duplex): Promise<Push | null> {
  const lines: string[] = [];
  try {
    for await (const line of createInterface({ input: socket, terminal: false })) {
      // Refs come one a line, and an empty one ends them; the alternates may be empty too, but stand second.
      if (line === '' && lines.length >= 2) {
        const [objects = '', alternates = '', ...updates] = lines;
        return { quarantine: { objects, alternates }, updates: updates.map(parseUpdate) };
      }
      lines.push(line);
    }
  } catch {
    // The socket broke with the process behind it: same as its end.
    return null;
  }
  return null;
}

function parseUpdate(line: string): RefUpdate {
  const [old = '', commit = '', ...ref] = line.split(' ');
  return { old, new: commit, ref: ref.join(' ') };
}
