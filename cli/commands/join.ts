import type { ClusterResource } from '../../src/platform/cluster.ts';
import { CliError, UsageError } from '../lib/line/cli-error.ts';
import type { Client } from '../lib/api/client.ts';
import { defineCommand } from '../lib/line/command.ts';
import { poll } from '../lib/api/poll.ts';
import { readAll } from '../lib/line/prompt.ts';

const JOIN_MS_MAX = 3 * 60_000;
/** The agent starts over as a member: it reads its store, and opens everything anew. */
const RESTART_MS_MAX = 60_000;

export default defineCommand({
  args: { token: { is: 'required', summary: 'what `kith invite` printed; - reads it from stdin' } },
  details:
    'To be run where the new machine is, with its agent running. The agent must have no apps and no peers yet.',
  examples: ['kith join TOKEN', 'ssh pi kith invite | kith join -'],
  async run({ api, screen, args, world }) {
    const token = (args.token === '-' ? await readAll(world) : args.token).trim();
    if (token === '') throw new UsageError('No token came on stdin');
    const cluster = await screen.progress(
      'Joining',
      async () => {
        const left = await api.post<ClusterResource>('/kith/join', { token }, { timeoutMs: JOIN_MS_MAX });
        return poll(() => clusterOtherThan(left.id, api), {
          everyMs: world.pollMs / 2,
          withinMs: RESTART_MS_MAX,
          lateMessage: 'The machine was admitted, but its agent does not answer as a member yet',
          hint: 'See `kith peers`, and the log of the agent',
        });
      },
      ({ name, members }) => `done, ${name} has ${members.length} peers`,
    );
    if (screen.isJson) screen.json(cluster);
  },
});

/** Null while the agent restarts, or still answers as what it was. */
async function clusterOtherThan(id: string | null, api: Client): Promise<ClusterResource | null> {
  try {
    const cluster = await api.get<ClusterResource>('/kith/cluster');
    return cluster.id === id ? null : cluster;
  } catch (error) {
    if (error instanceof CliError) return null;
    throw error;
  }
}
