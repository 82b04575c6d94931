import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { PlatformError } from '../../src/errors.ts';
import type { AddonId, AppId } from '../../src/ids.ts';
import { ADDON_OPTIONS_KEY } from '../../src/ledger/addons/addon-types.ts';
import type { Addon } from '../../src/ledger/addons/addon-types.ts';
import { nextAddonStep } from '../../src/ledger/addons/addon-work.ts';
import type { AddonStep } from '../../src/ledger/addons/addon-work.ts';
import { attachedHere, findAddonById } from '../../src/ledger/addons/attachments.ts';
import type { Rotation } from '../../src/ledger/addons/rotation.ts';
import type { Duty } from '../../src/ledger/duty.ts';
import { assertNever } from '../../src/step.ts';
import type { AddonProvider, ProvisionRequest } from '../../src/shell/addon-provider.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import { logInputUrl } from '../lib/log-input.ts';
import { AddonWrites, drainToken } from './addon-writes.ts';
import type { AgentAddons } from './agent-addons.ts';
import { oldDynosRun } from './old-dynos.ts';

/** Heroku's limits: a provider has so long for an answer, and an add-on so long until it is ready. */
const CALL_MS = 25_000;
const PROVISION_MS = 12 * 60 * 60_000;
const RETRY_MS = 1_000;
const RETRY_MS_MAX = 60_000;
/** How soon it is seen that something else is to be done meanwhile. */
const LOOK_MS = 250;
const ASK_AGAIN_MS = 2_000;
/** How long old credentials may live on: a forgotten `kith run bash` must not keep them for ever. */
const ROTATION_MS = 30 * 60_000;

const options = z.record(z.string(), z.string());

export type AddonWorkerParts = {
  readonly host: () => PeerHost;
  readonly addons: AgentAddons;
  readonly log: Logger;
};

/**
 * Speaks for an add-on with its provider, one step at a time, until the ledger asks for nothing more. Each step is written
 * down once it is done: who takes over begins with the one that was not, and asks the provider the same thing again.
 */
export class AddonWorker {
  readonly #parts: AddonWorkerParts;
  readonly #writes: AddonWrites;

  constructor(parts: AddonWorkerParts) {
    this.#parts = parts;
    this.#writes = new AddonWrites(parts.host);
  }

  async work({ key }: Duty, signal: AbortSignal): Promise<void> {
    const id = key as AddonId;
    let failures = 0;
    for (;;) {
      signal.throwIfAborted();
      const { addon, step } = this.#look(id);
      if (addon === null || step === null) return;
      try {
        await this.#perform(addon, step, signal);
        failures = 0;
      } catch (err) {
        signal.throwIfAborted();
        const waitMs = Math.min(RETRY_MS * 2 ** failures, RETRY_MS_MAX) * (0.5 + Math.random());
        failures += 1;
        this.#parts.log.warn(
          { addon: addon.name, step: step.do, retryMs: Math.round(waitMs), err },
          'add-on step not done',
        );
        await this.#pause(id, step, waitMs, signal);
      }
    }
  }

  #look(id: AddonId): { addon: Addon | null; step: AddonStep | null } {
    const view = this.#parts.host().view();
    const addon = findAddonById(view, id);
    return { addon, step: addon === null ? null : nextAddonStep(view, addon) };
  }

  /** Waits, but not longer than the step is the one to do. */
  async #pause(id: AddonId, step: AddonStep, waitMs: number, signal: AbortSignal): Promise<void> {
    const until = performance.now() + waitMs;
    while (performance.now() < until && this.#look(id).step?.do === step.do) {
      await sleep(Math.min(LOOK_MS, waitMs), undefined, { signal });
    }
  }

  async #perform(addon: Addon, step: AddonStep, signal: AbortSignal): Promise<void> {
    switch (step.do) {
      case 'provision':
        return this.#provision(addon, signal);
      case 'await':
        return this.#await(addon, step, signal);
      case 'change-plan':
        return this.#changePlan(addon, step, signal);
      case 'sync':
        return this.#sync(addon, step.app);
      case 'detach': {
        const { app, attachment } = step;
        await this.#writes.command(addon, { type: 'attachment.remove', app, attachment });
        return;
      }
      case 'add-drain':
        return this.#writes.drainAdded(addon, step.url);
      case 'remove-drain':
        await this.#writes.command(addon, { type: 'drain.remove', app: addon.app, drain: step.drain });
        return;
      case 'rotate':
        return this.#rotate(addon, step.rotation, signal);
      case 'end-rotation':
        return this.#endRotation(addon, step, signal);
      case 'deprovision':
        return this.#deprovision(addon, signal);
      default:
        return assertNever(step);
    }
  }

  async #provision(addon: Addon, signal: AbortSignal): Promise<void> {
    if (isOverdue(addon)) return this.#giveUp(addon);
    if (!addon.accepted) await this.#writes.asking(addon);
    const request = this.#provisionRequest(addon);
    const reply = await orRefusal(this.#providerOf(addon).provision(request, within(CALL_MS, signal)));
    if ('refused' in reply) await this.#writes.refused(addon, reply.refused);
    else await this.#writes.provisioned(addon, reply);
  }

  #provisionRequest(addon: Addon): ProvisionRequest {
    const { addons } = this.#parts;
    const host = this.#parts.host();
    const self = host.peers().find(({ peer }) => peer === host.self);
    const api = self?.facts?.addrs.api ?? '127.0.0.1';
    const code = addons.tokens.make('code', addon.id, Date.now());
    return {
      uuid: addon.id,
      name: addon.name,
      plan: addon.plan,
      region: 'amazon-web-services::us-east-1',
      callbackUrl: `http://${api}/addons/${addon.id}`,
      options: options.parse(JSON.parse(host.open(addon.id, ADDON_OPTIONS_KEY, addon.options))),
      oauthGrant: addons.isBuiltIn(addon.service) ? null : { code: code.text, expiresAt: code.until },
      logInputUrl: logInputUrl(host, addon.id, api),
      logDrainToken: drainToken(addon),
      app: { id: addon.app, name: host.view().apps.get(addon.app)?.name ?? '' },
    };
  }

  /** Until its provider calls back. Built-in ones cannot: they are asked again. */
  async #await(addon: Addon, step: AddonStep, signal: AbortSignal): Promise<void> {
    if (isOverdue(addon)) return this.#giveUp(addon);
    const isAsked = this.#providerOf(addon).asksAgain;
    await this.#pause(addon.id, step, ASK_AGAIN_MS, signal);
    if (isAsked && this.#look(addon.id).step?.do === 'await') await this.#provision(addon, signal);
  }

  #giveUp(addon: Addon): Promise<void> {
    const hours = PROVISION_MS / 3_600_000;
    return this.#writes.givenUp(addon, `Its provider did not have it ready within ${hours} hours.`);
  }

  async #changePlan(
    addon: Addon,
    { change, plan }: Extract<AddonStep, { do: 'change-plan' }>,
    signal: AbortSignal,
  ): Promise<void> {
    const request = { uuid: addon.id, providerId: addon.providerId ?? addon.id, plan };
    const asked = this.#providerOf(addon).changePlan(request, within(CALL_MS, signal));
    await this.#writes.planAnswered(addon, change, await orRefusal(asked));
  }

  async #sync(addon: Addon, appId: AppId): Promise<void> {
    const { host, addons } = this.#parts;
    const app = host().view().apps.get(appId);
    if (app === undefined) return;
    await this.#writes.synced(addon, appId, addons.sealVars(addon, appId, attachedHere(app, addon.id)));
  }

  async #rotate(addon: Addon, { id }: Rotation, signal: AbortSignal): Promise<void> {
    const request = { uuid: addon.id, config: this.#parts.addons.configOf(addon), generation: id };
    const config = await this.#providerOf(addon).rotate?.(request, within(CALL_MS, signal));
    await this.#writes.rotated(addon, id, 'released', config);
  }

  /** Those of before are ended once no dyno has them any more, or after so long that whatever has them must be stuck. */
  async #endRotation(
    addon: Addon,
    step: Extract<AddonStep, { do: 'end-rotation' }>,
    signal: AbortSignal,
  ): Promise<void> {
    const { id, at } = step.rotation;
    const isUsed = Date.now() - at < ROTATION_MS && oldDynosRun(this.#parts.host(), addon.id);
    if (isUsed) return this.#pause(addon.id, step, ASK_AGAIN_MS, signal);
    const request = { uuid: addon.id, config: this.#parts.addons.configOf(addon) };
    await this.#providerOf(addon).endOthers?.(request, within(CALL_MS, signal));
    await this.#writes.rotated(addon, id, 'ended');
  }

  async #deprovision(addon: Addon, signal: AbortSignal): Promise<void> {
    const request = { uuid: addon.id, providerId: addon.providerId };
    await this.#providerOf(addon).deprovision(request, within(CALL_MS, signal));
    await this.#writes.deprovisioned(addon);
  }

  #providerOf({ service }: Addon): AddonProvider {
    return this.#parts.addons.providerOf(service);
  }
}

function isOverdue(addon: Addon): boolean {
  return Date.now() - addon.createdAt > PROVISION_MS;
}

function within(ms: number, signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(ms)]);
}

/** A provider that does not want to is an answer, unlike one that cannot be asked. */
async function orRefusal<T extends object>(asked: Promise<T>): Promise<T | { readonly refused: string }> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof PlatformError) || error.code !== 'invalid_params') throw error;
    // It is kept with the add-on, as one text.
    return { refused: error.hint === undefined ? error.message : `${error.message}. ${error.hint}` };
  }
}
