import { setTimeout as sleep } from 'node:timers/promises';
import { PlatformError } from '../../src/errors.ts';
import type { OpId, PeerId, VolumeId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { VolumeHold, Volume } from '../../src/ledger/volumes/volume-types.ts';
import type { PeerHost, PeerStatus } from '../../src/shell/host.ts';
import type { VolumeRef } from '../../src/shell/volumes.ts';

/** A drain, SIGTERM, SIGKILL after 30 s, and a little. */
const STOPPED_MS = 120_000;
const REACHED_MS = 15_000;
const LOOK_MS = 50;
/** What this peer writes of its own accord. */
const SELF = { user: 'kith', request: null } as const;

export type VolumeWorkParts = {
  readonly host: () => PeerHost;
  /** Whether a dyno here may still write to it. */
  readonly isUsed: (volume: VolumeId) => boolean;
  /** The name of a one-off dyno here that has it; null: none has. */
  readonly oneOffWith: (volume: VolumeId) => string | null;
  /** Called when some work is over: whatever it left undone is found by the keeper. */
  readonly keep: () => void;
  readonly closing: AbortSignal;
};

/** Work on volumes of this peer: one piece at a time on each, with its dynos stopped for it, and telling what is being done. */
export class VolumeWork {
  readonly #parts: VolumeWorkParts;
  /** Volumes that are worked on; the keeper leaves them alone. */
  readonly #busy: Set<VolumeId>;
  readonly #running = new Map<VolumeId, { readonly key: string; readonly done: Promise<unknown> }>();
  readonly #doing = new Map<VolumeId, string>();

  constructor(parts: VolumeWorkParts, busy: Set<VolumeId>) {
    this.#parts = parts;
    this.#busy = busy;
  }

  /** What is being done with a volume; null: nothing. */
  doing(volume: VolumeId): string | null {
    return this.#doing.get(volume) ?? null;
  }

  say(volume: VolumeId, doing: string | null): void {
    if (doing === null) this.#doing.delete(volume);
    else this.#doing.set(volume, doing);
  }

  /** One piece of work on a volume at a time; who asks for the same again gets the same answer. */
  async alone<T>(ref: VolumeRef, key: string, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(ref.volume);
    if (running?.key === key) return (await running.done) as T;
    const { name } = this.must(ref).volume;
    if (running !== undefined) {
      throw new PlatformError('conflict', `Cannot copy volume "${name}": it is being copied already`, {
        hint: 'See `kith volumes:info`, and try again when that has ended',
      });
    }
    this.#busy.add(ref.volume);
    const done = work();
    this.#running.set(ref.volume, { key, done });
    try {
      return await done;
    } finally {
      this.#running.delete(ref.volume);
      this.say(ref.volume, null);
      this.#busy.delete(ref.volume);
      // A hold that could not be ended, or a copy that is needed no more.
      this.#parts.keep();
    }
  }

  /**
   * Stops the volume's dynos while `work` goes on, which gets the hold that it may give the volume away under. One-off dynos
   * are not placed, and nobody's shell is ended for it: while there is one, nothing is done.
   */
  async held<T>(
    ref: VolumeRef,
    why: VolumeHold,
    work: (volume: Volume, hold: OpId) => Promise<T>,
  ): Promise<T> {
    const { host, isUsed, oneOffWith } = this.#parts;
    const oneOff = oneOffWith(ref.volume);
    if (oneOff !== null) {
      const { name } = this.must(ref).volume;
      throw new PlatformError('conflict', `Cannot copy volume "${name}": the one-off dyno ${oneOff} has it`, {
        hint: `Try again when it has ended, or end it: \`kith ps:stop ${oneOff}\``,
      });
    }
    const hold = { type: 'volume.hold', ...ref, by: host().self } as const;
    const [heldBy] = await host().command({ ...hold, why }, SELF);
    if (heldBy === undefined) throw new Error('A hold was accepted, and not written');
    try {
      this.say(ref.volume, 'stopping its dynos');
      const { volume } = this.must(ref);
      await this.until(STOPPED_MS, () => !isUsed(volume.id), {
        what: `Cannot copy volume "${volume.name}": its dynos did not stop`,
        hint: 'See `kith ps` and `kith logs`',
      });
      return await work(volume, heldBy);
    } finally {
      const volume = host().view().apps.get(ref.app)?.volumes.get(ref.volume);
      if (volume?.place.peer === host().self && volume.ready && volume.hold !== null) {
        await host().command({ ...hold, why: null }, SELF);
      }
    }
  }

  /** @throws PlatformError `timeout` */
  async until(
    ms: number,
    test: () => boolean,
    late: { readonly what: string; readonly hint: string },
  ): Promise<void> {
    const deadline = performance.now() + ms;
    while (!test()) {
      if (performance.now() > deadline) throw new PlatformError('timeout', late.what, { hint: late.hint });
      await sleep(LOOK_MS, undefined, { signal: this.#parts.closing });
    }
  }

  must({ app: appId, volume: id }: VolumeRef): { readonly app: App; readonly volume: Volume } {
    const app = this.#parts.host().view().apps.get(appId);
    const volume = app?.volumes.get(id);
    if (app !== undefined && volume !== undefined) return { app, volume };
    throw new PlatformError('not_found', "Couldn't find that volume.", { resource: 'volume' });
  }

  /** An agent that has just started has yet to hear who is alive. */
  async reached(peer: PeerId, what: string): Promise<void> {
    const status = (): PeerStatus | undefined =>
      this.#parts
        .host()
        .peers()
        .find((each) => each.peer === peer);
    await this.until(REACHED_MS, () => status()?.verdict === 'alive', {
      what: `${what}: its peer cannot reach "${status()?.facts?.name ?? peer}"`,
      hint: 'See `kith peers`',
    });
  }
}
