import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { StacksResource } from '../../src/platform/kith-stack.ts';
import { CliError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';

/** Debian's and Docker's names, and ours. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  amd64: 'x64',
  x86_64: 'x64',
  x64: 'x64',
  arm64: 'arm64',
  aarch64: 'arm64',
};

export default defineCommand({
  args: { file: { is: 'required', summary: 'the .tar.zst that scripts/stack made' } },
  flags: {
    arch: { kind: 'string', value: 'ARCH', summary: 'amd64 or arm64: refuse a file for another (its own)' },
  },
  examples: ['kith stack:import kith-stack-bookworm-amd64.tar.zst'],
  async run({ api, screen, args, flags, world }) {
    const path = resolve(world.cwd, args.file);
    const arch = flags.arch === undefined ? 'auto' : ARCHITECTURES[flags.arch];
    if (arch === undefined)
      throw new CliError(`"${flags.arch}" is no architecture`, { hint: 'Use amd64 or arm64' });
    const bytes = await sizeOf(path);
    await screen.progress(`Sending ${Math.ceil(bytes / 1024 ** 2)} MB`, () =>
      api.upload(`/kith/stacks/${arch}`, { source: () => createReadStream(path), bytes }),
    );
    if (screen.isJson) return screen.json(await api.get<StacksResource>('/kith/stacks'));
    screen.note('Peers of that architecture that have a Docker Engine fetch it now: see `kith stack`.');
  },
});

async function sizeOf(path: string): Promise<number> {
  try {
    const found = await stat(path);
    if (found.isFile()) return found.size;
  } catch (cause) {
    throw new CliError(`Cannot read "${path}"`, { hint: '`scripts/stack` makes a stack image', cause });
  }
  throw new CliError(`"${path}" is not a file`);
}
