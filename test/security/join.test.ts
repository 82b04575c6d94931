import { expect, test } from 'vitest';
import { inviteOf, useCluster } from '../cluster/cluster.ts';

const cluster = useCluster(1);
const ash = cluster.peer('ash');

test(
  'an invite lets one peer in, though two ask with it at the same moment',
  { timeout: 400_000 },
  async () => {
    const token = await inviteOf(ash);
    const strangers = ['hazel', 'ivy'].map((name) => cluster.stranger(name));
    const joined = await Promise.allSettled(strangers.map((peer) => peer.start({ args: ['--join', token] })));
    expect(joined.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const loser = strangers[joined.findIndex(({ status }) => status === 'rejected')];
    expect(loser?.logTail()).toContain('Cannot join: this invite has been used');
    expect(await ash.peers()).toHaveLength(2);
  },
);
