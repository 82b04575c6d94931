import { lstatSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { CliError, UsageError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { formatBytes } from '../lib/print/bytes.ts';
import { unpackTo } from '../lib/deploy/unpack.ts';

const DYNO_DEFAULT = 'web.1';
/** A dyno that packs a large folder may be silent for a while. */
const SILENCE_MS = 150_000;

export default defineCommand({
  ofApp: true,
  args: { file: { is: 'required', summary: "a file or folder; relative to the app's own folder" } },
  flags: {
    dyno: { kind: 'string', short: 'd', value: 'DYNO', summary: `the dyno, if not ${DYNO_DEFAULT}` },
    output: { kind: 'string', short: 'o', value: 'PATH', summary: 'what the copy is called here' },
  },
  details: 'Copies a file or folder out of a running dyno. What is here already is not overwritten.',
  examples: [
    'kith ps:copy log/production.log',
    'kith ps:copy /tmp/heap.dump --dyno worker.1 --output ./heap',
  ],
  async run(context) {
    const { api, screen, args, flags, world } = context;
    const name = flags.dyno ?? DYNO_DEFAULT;
    const target = resolve(world.cwd, flags.output ?? localName(args.file));
    if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) {
      throw new CliError(`Cannot copy to "${target}": there is something of this name already`, {
        hint: 'Give the copy another name with --output',
      });
    }
    const app = await context.app();
    const query = new URLSearchParams({ path: args.file });
    const path = `/kith/apps/${encodeURIComponent(app)}/dynos/${encodeURIComponent(name)}/copy?${query.toString()}`;
    const copied = await screen.progress(
      `Copying ${screen.paintErr.cyan(args.file)} from ${name} on ${screen.app(app)}`,
      async () => unpackTo(await api.stream(path, { timeoutMs: SILENCE_MS }), target),
      ({ files, bytes }) => `done, ${files} ${files === 1 ? 'file' : 'files'}, ${formatBytes(bytes)}`,
    );
    for (const entry of copied.leftOut) screen.warn(`Left out ${entry}`);
    if (screen.isJson) screen.json({ path: target, ...copied });
  },
});

function localName(file: string): string {
  const name = basename(file);
  if (name !== '' && name !== '.' && name !== '..') return name;
  throw new UsageError(`"${file}" does not say what the copy is called`, 'Say so with --output');
}
