import type { PeerResource } from '../../src/platform/peer.ts';
import { UsageError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { peerPath } from '../lib/peers.ts';
import { poll } from '../lib/api/poll.ts';
import { parseDuration } from '../lib/print/time.ts';

export default defineCommand({
  flags: {
    off: { kind: 'boolean', summary: 'let it take dynos again' },
    timeout: { kind: 'string', value: 'TIME', summary: 'stop waiting after this long (10m)' },
  },
  details:
    'Drains the peer that is spoken to: others start its dynos before it stops them, so no request fails. Use --host to drain another. Dynos with a volume stay where that is.',
  async run({ api, screen, flags, world }) {
    const seconds = parseDuration(flags.timeout ?? '10m');
    if (seconds === null) throw new UsageError(`"${flags.timeout}" is no time`, 'Write it like 90s or 10m');
    const drain = (): Promise<PeerResource> =>
      api.patch<PeerResource>(peerPath('~'), { draining: !flags.off });
    const drained = flags.off
      ? await screen.progress('Ending the drain', drain, ({ name }) => `done, ${name} takes dynos again`)
      : await screen.progress(
          'Moving all dynos elsewhere',
          async (update) => {
            const first = await drain();
            if (isDrained(first)) return first;
            return poll(
              async () => {
                const peer = await api.get<PeerResource>(peerPath('~'));
                update(`${peer.dynos - peer.staying.length} left`);
                return isDrained(peer) ? peer : null;
              },
              {
                everyMs: world.pollMs,
                withinMs: seconds * 1_000,
                lateMessage: `${first.name} still runs dynos after ${flags.timeout ?? '10m'}; it goes on draining`,
                hint: 'Is there room elsewhere? See `kith peers`',
              },
            );
          },
          ({ name, staying }) =>
            staying.length === 0
              ? `done, ${name} runs nothing`
              : `done, ${name} runs what has its volume there`,
        );
    if (!flags.off && !screen.isJson) {
      for (const { app, dyno, volume } of drained.staying) {
        screen.note(
          `${dyno} of ${app} stays: its volume ${volume} is on ${drained.name}. To move it: kith volumes:move ${volume} PEER -a ${app}`,
        );
      }
    }
    if (screen.isJson) screen.json(drained);
  },
});

/** Whether nothing is left there that could go. */
function isDrained({ dynos, staying }: PeerResource): boolean {
  return dynos <= staying.length;
}
