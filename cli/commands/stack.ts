import type { StacksResource } from '../../src/platform/kith-stack.ts';
import { defineCommand } from '../lib/line/command.ts';
import { formatAgo } from '../lib/print/time.ts';

export default defineCommand({
  details:
    'Dynos and builds of peers that have a Docker Engine run in containers of the stack image. `scripts/stack` makes one, and `kith stack:import` gives it to the cluster; peers get it from one another.',
  async run({ api, screen }) {
    const found = await api.get<StacksResource>('/kith/stacks');
    if (screen.isJson) return screen.json(found);
    if (found.stacks.length === 0)
      screen.line('The cluster has no stack image: `kith stack:import FILE` gives it one.');
    else {
      screen.table(
        ['STACK', 'ARCH', 'SIZE', 'IMPORTED', 'PEERS', 'SHA-256'],
        found.stacks.map(({ name, arch, bytes, updated_at, peers, blob }) => [
          name,
          arch,
          `${Math.ceil(bytes / 1024 ** 2)} MB`,
          formatAgo(Date.now() - Date.parse(updated_at)),
          peers.join(', '),
          blob.slice(0, 12),
        ]),
      );
    }
    screen.line();
    screen.line(describeEngine(found.engine));
  },
});

function describeEngine({ answers, image, present, blob }: StacksResource['engine']): string {
  if (!answers) return 'This peer has no Docker Engine.';
  if (!present) return `The Docker Engine of this peer does not have "${image}" yet.`;
  const origin = blob === null ? '' : `, made from ${blob.slice(0, 12)}`;
  return `The Docker Engine of this peer has "${image}"${origin}.`;
}
