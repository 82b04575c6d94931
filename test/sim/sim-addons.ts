import type { AddonId } from '../../src/ids.ts';
import type { Addon } from '../../src/ledger/addons/addon-types.ts';
import { nextAddonStep } from '../../src/ledger/addons/addon-work.ts';
import { attachedHere, findAddonById, varsOf } from '../../src/ledger/addons/attachments.ts';
import type { Command, CommandResult } from '../../src/ledger/command.ts';
import type { Duty } from '../../src/ledger/duty.ts';
import type { View } from '../../src/ledger/view.ts';
import type { ClockQueue } from './clock-queue.ts';
import type { Random } from './random.ts';

const LOOK_MS = 500;
/** A request is with the provider after so long, whatever becomes of who sent it; the answer takes longer. */
const REQUEST_MS = 5;
const ANSWER_MS_MAX = 3_000;

/** One provider for all, as providers are: it dedupes by uuid, and now and then it fails after having done what was asked. */
export class SimProvider {
  readonly resources = new Set<AddonId>();
}

type SimAddonsOptions = {
  readonly clock: ClockQueue;
  readonly random: Random;
  readonly provider: SimProvider;
  readonly view: () => View;
  readonly duties: () => readonly Duty[];
  readonly command: (command: Command, then?: (result: CommandResult) => void) => void;
};

/** What one run of a simulated agent does for add-ons that are its duty, one step of each at a time. */
export class SimAddons {
  readonly #options: SimAddonsOptions;
  readonly #asking = new Set<AddonId>();
  #isLooking = false;
  #isOver = false;

  constructor(options: SimAddonsOptions) {
    this.#options = options;
  }

  /** Its agent has died: what is on its way to the provider gets there, and nobody hears the answer. */
  end(): void {
    this.#isOver = true;
  }

  work(): void {
    if (this.#isOver) return;
    const mine = this.#options.duties().filter(({ kind }) => kind === 'addon');
    for (const { key } of mine) this.#step(key as AddonId);
    if (mine.length === 0 || this.#isLooking) return;
    this.#isLooking = true;
    this.#options.clock.after(LOOK_MS, () => {
      this.#isLooking = false;
      this.work();
    });
  }

  #step(id: AddonId): void {
    const { view, provider } = this.#options;
    const addon = findAddonById(view(), id);
    const step = addon === null ? null : nextAddonStep(view(), addon);
    if (addon === null || step === null || this.#asking.has(id)) return;
    switch (step.do) {
      case 'provision':
        this.#asking.add(id);
        this.#options.command(settle(addon, 'asking'), (result) => {
          this.#asking.delete(id);
          if (!result.ok || result.ops.length === 0) return;
          this.#ask(id, () => provider.resources.add(id), settle(addon, 'provisioned'));
        });
        return;
      case 'deprovision':
        this.#ask(id, () => provider.resources.delete(id), settle(addon, 'deprovisioned'));
        return;
      case 'change-plan':
        this.#ask(id, () => {}, {
          type: 'addon.answer',
          app: addon.app,
          addon: id,
          change: step.change,
          done: this.#options.random.chance(0.5),
          message: null,
          config: {},
        });
        return;
      case 'sync': {
        const app = view().apps.get(step.app);
        const vars = app === undefined ? [] : varsOf(addon, attachedHere(app, id));
        this.#options.command({
          type: 'attachment.sync',
          app: step.app,
          addon: id,
          version: addon.configVersion,
          vars: Object.fromEntries(vars.map(({ name, value }) => [name, value])),
        });
        return;
      }
      case 'detach':
        this.#options.command({ type: 'attachment.remove', app: step.app, attachment: step.attachment });
        return;
      default: // It waits for nobody here, and has no drains.
    }
  }

  #ask(id: AddonId, act: () => void, then: Command): void {
    const { clock, random, command } = this.#options;
    this.#asking.add(id);
    clock.after(REQUEST_MS, act);
    const isAnswered = !random.chance(0.2);
    clock.after(REQUEST_MS + random.between(1, ANSWER_MS_MAX), () => {
      this.#asking.delete(id);
      if (!this.#isOver && isAnswered) command(then);
    });
  }
}

function settle(addon: Addon, state: 'asking' | 'provisioned' | 'deprovisioned'): Command {
  const config = state === 'provisioned' ? { REDIS_URL: new Uint8Array([3, 1]) } : {};
  const told = { providerId: addon.id, message: null, drainUrl: null };
  return { type: 'addon.settle', app: addon.app, addon: addon.id, state, ...told, config };
}
