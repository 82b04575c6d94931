import type { ClusterResource } from '../../src/platform/cluster.ts';
import { UsageError } from '../lib/cli-error.ts';
import { defineCommand } from '../lib/command.ts';
import { readAll } from '../lib/prompt.ts';

const JOIN_MS_MAX = 3 * 60_000;

export default defineCommand({
  args: { token: { is: 'required', summary: 'what `kith invite` printed; - reads it from stdin' } },
  examples: ['kith join TOKEN', 'ssh pi kith invite | kith join -'],
  async run({ api, screen, args, world }) {
    const token = (args.token === '-' ? await readAll(world) : args.token).trim();
    if (token === '') throw new UsageError('No token came on stdin');
    const cluster = await screen.progress(
      'Joining',
      () => api.post<ClusterResource>('/kith/join', { token }, { timeoutMs: JOIN_MS_MAX }),
      (joined) => `done, ${joined.name} has ${joined.members.length} peers`,
    );
    if (screen.isJson) screen.json(cluster);
  },
});
