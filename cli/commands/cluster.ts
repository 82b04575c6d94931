import type { ClusterResource } from '../../src/platform/cluster.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  async run({ api, screen }) {
    const cluster = await api.get<ClusterResource>('/kith/cluster');
    if (screen.isJson) return screen.json(cluster);
    screen.heading(cluster.name);
    screen.line();
    screen.facts({
      Id: cluster.id ?? 'not known yet',
      'This peer': cluster.self.name,
      Members: String(cluster.members.length),
    });
    screen.line();
    screen.table(
      ['PEER', 'ID'],
      cluster.members.map(({ name, id }) => [name, id]),
    );
  },
});
