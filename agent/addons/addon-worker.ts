import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { DRAIN_URL_KEY, parseDrainUrl } from '../../src/drain-url.ts';
import { PlatformError } from '../../src/errors.ts';
import type { AddonId, AppId, DrainId, OpId } from '../../src/ids.ts';
import { ADDON_DRAIN_KEY, ADDON_OPTIONS_KEY } from '../../src/ledger/addons/addon-types.ts';
import type { Addon, AddonSettlement, SealedConfig } from '../../src/ledger/addons/addon-types.ts';
import { nextAddonStep } from '../../src/ledger/addons/addon-work.ts';
import type { AddonStep } from '../../src/ledger/addons/addon-work.ts';
import { attachedHere, findAddonById } from '../../src/ledger/addons/attachments.ts';
import type { Command } from '../../src/ledger/command.ts';
import type { Duty } from '../../src/ledger/duties.ts';
import type { Rotation } from '../../src/ledger/addons/rotation.ts';
import { assertNever } from '../../src/step.ts';
import { uuidOf } from '../../src/platform/ids.ts';
import type { AddonConfig, ProvisionReply } from '../../src/shell/addon-provider.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import { logInputUrl } from '../lib/log-input.ts';
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

  constructor(parts: AddonWorkerParts) {
    this.#parts = parts;
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
      case 'detach':
        return this.#command(addon, {
          type: 'attachment.remove',
          app: step.app,
          attachment: step.attachment,
        });
      case 'add-drain':
        return this.#addDrain(addon, step.url);
      case 'remove-drain':
        return this.#command(addon, { type: 'drain.remove', app: addon.app, drain: step.drain });
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
    const { host, addons } = this.#parts;
    if (!addon.accepted) await this.#announce(addon);
    const app = host().view().apps.get(addon.app);
    const self = host()
      .peers()
      .find(({ peer }) => peer === host().self);
    const api = self?.facts?.addrs.api ?? '127.0.0.1';
    const code = addons.tokens.make('code', addon.id, Date.now());
    const reply = await this.#orRefusal(() =>
      addons.providerOf(addon.service).provision(
        {
          uuid: addon.id,
          name: addon.name,
          plan: addon.plan,
          region: 'amazon-web-services::us-east-1',
          callbackUrl: `http://${api}/addons/${addon.id}`,
          options: options.parse(JSON.parse(host().open(addon.id, ADDON_OPTIONS_KEY, addon.options))),
          oauthGrant: addons.isBuiltIn(addon.service) ? null : { code: code.text, expiresAt: code.until },
          logInputUrl: logInputUrl(host(), addon.id, api),
          logDrainToken: drainToken(addon),
          app: { id: addon.app, name: app?.name ?? '' },
        },
        AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]),
      ),
    );
    if ('refused' in reply) {
      await this.#settle(addon, {
        state: 'refused',
        providerId: null,
        message: reply.refused,
        drainUrl: null,
      });
      return;
    }
    await this.#settleAs(addon, reply);
  }

  /** Persisted before it is sent: should nobody hear the answer, whoever destroys the add-on knows that there may be one. */
  async #announce(addon: Addon): Promise<void> {
    const nothingYet = { providerId: null, message: null, drainUrl: null, config: {} };
    const asking = { type: 'addon.settle', app: addon.app, addon: addon.id, state: 'asking' } as const;
    const by = { user: `${addon.service}@addons.heroku.com`, request: null };
    const ops = await this.#parts.host().command({ ...asking, ...nothingYet }, by);
    if (ops.length > 0) return;
    throw new PlatformError('conflict', `"${addon.name}" is not to be provisioned any more`);
  }

  async #settleAs(addon: Addon, { state, id, config, message, logDrainUrl }: ProvisionReply): Promise<void> {
    // One that leads nowhere is for the provider to mend: it gets a retry, and the log says why.
    if (logDrainUrl !== null) parseDrainUrl(logDrainUrl);
    const drainUrl =
      logDrainUrl === null ? null : this.#parts.host().seal(addon.id, ADDON_DRAIN_KEY, logDrainUrl);
    await this.#settle(addon, { state, providerId: id, message, drainUrl }, config);
  }

  /** Until its provider calls back. Built-in ones cannot: they are asked again. */
  async #await(addon: Addon, step: AddonStep, signal: AbortSignal): Promise<void> {
    if (isOverdue(addon)) return this.#giveUp(addon);
    const isAsked = this.#parts.addons.providerOf(addon.service).asksAgain;
    await this.#pause(addon.id, step, ASK_AGAIN_MS, signal);
    if (isAsked && this.#look(addon.id).step?.do === 'await') await this.#provision(addon, signal);
  }

  async #changePlan(
    addon: Addon,
    { change, plan }: Extract<AddonStep, { do: 'change-plan' }>,
    signal: AbortSignal,
  ): Promise<void> {
    const answer = { type: 'addon.answer', app: addon.app, addon: addon.id, change } as const;
    const reply = await this.#orRefusal(() =>
      this.#parts.addons
        .providerOf(addon.service)
        .changePlan(
          { uuid: addon.id, providerId: addon.providerId ?? addon.id, plan },
          AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]),
        ),
    );
    if ('refused' in reply) {
      await this.#command(addon, { ...answer, done: false, message: reply.refused, config: {} });
      return;
    }
    const config = this.#seal(addon, reply.config ?? {});
    await this.#command(addon, { ...answer, done: true, message: reply.message, config });
  }

  async #sync(addon: Addon, appId: AppId): Promise<void> {
    const { host, addons } = this.#parts;
    const app = host().view().apps.get(appId);
    if (app === undefined) return;
    const vars = addons.sealVars(addon, appId, attachedHere(app, addon.id));
    const version = addon.configVersion;
    await this.#command(addon, { type: 'attachment.sync', app: appId, addon: addon.id, version, vars });
  }

  /** The URL is the provider's, the drain the app's: it has the add-on's own id, so that it is made once. */
  async #addDrain(addon: Addon, url: Uint8Array): Promise<void> {
    const host = this.#parts.host();
    const text = host.open(addon.id, ADDON_DRAIN_KEY, url);
    await this.#command(addon, {
      type: 'drain.add',
      app: addon.app,
      drain: addon.id as string as DrainId,
      token: drainToken(addon),
      url: host.seal(addon.app, DRAIN_URL_KEY, text),
      addon: addon.id,
    });
  }

  async #rotate(addon: Addon, { id }: Rotation, signal: AbortSignal): Promise<void> {
    const provider = this.#parts.addons.providerOf(addon.service);
    const request = { uuid: addon.id, config: this.#parts.addons.configOf(addon), generation: id };
    const config = await provider.rotate?.(request, AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]));
    await this.#rotated(addon, id, 'released', config);
  }

  /** Those of before are ended once no dyno has them any more, or after so long that whatever has them must be stuck. */
  async #endRotation(
    addon: Addon,
    step: Extract<AddonStep, { do: 'end-rotation' }>,
    signal: AbortSignal,
  ): Promise<void> {
    const { id, at } = step.rotation;
    const isUsed = (): boolean => Date.now() - at < ROTATION_MS && oldDynosRun(this.#parts.host(), addon.id);
    if (isUsed()) return this.#pause(addon.id, step, ASK_AGAIN_MS, signal);
    const provider = this.#parts.addons.providerOf(addon.service);
    const request = { uuid: addon.id, config: this.#parts.addons.configOf(addon) };
    await provider.endOthers?.(request, AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]));
    await this.#rotated(addon, id, 'ended');
  }

  async #rotated(
    addon: Addon,
    rotation: OpId,
    stage: 'released' | 'ended',
    config: AddonConfig = {},
  ): Promise<void> {
    await this.#command(addon, {
      type: 'addon.rotated',
      app: addon.app,
      addon: addon.id,
      rotation,
      stage,
      config: this.#seal(addon, config),
    });
  }

  async #deprovision(addon: Addon, signal: AbortSignal): Promise<void> {
    const provider = this.#parts.addons.providerOf(addon.service);
    await provider.deprovision(
      { uuid: addon.id, providerId: addon.providerId },
      AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]),
    );
    await this.#settle(addon, { state: 'deprovisioned', providerId: null, message: null, drainUrl: null });
  }

  async #giveUp(addon: Addon): Promise<void> {
    const reason = `Its provider did not have it ready within ${PROVISION_MS / 3_600_000} hours.`;
    await this.#command(addon, {
      type: 'addon.destroy',
      app: addon.app,
      addon: addon.id,
      force: true,
      reason,
    });
  }

  async #settle(addon: Addon, settlement: AddonSettlement, config: AddonConfig = {}): Promise<void> {
    const sealed = this.#seal(addon, config);
    await this.#command(addon, {
      type: 'addon.settle',
      app: addon.app,
      addon: addon.id,
      ...settlement,
      config: sealed,
    });
  }

  #seal(addon: Addon, config: AddonConfig): SealedConfig {
    const host = this.#parts.host();
    return Object.fromEntries(
      Object.entries(config).map(([key, value]) => [key, host.seal(addon.id, key, value)]),
    );
  }

  async #command({ service }: Addon, command: Command): Promise<void> {
    await this.#parts.host().command(command, { user: `${service}@addons.heroku.com`, request: null });
  }

  async #orRefusal<T extends object>(ask: () => Promise<T>): Promise<T | { readonly refused: string }> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof PlatformError && error.code === 'invalid_params')
        return { refused: error.message };
      throw error;
    }
  }
}

function isOverdue(addon: Addon): boolean {
  return Date.now() - addon.createdAt > PROVISION_MS;
}

/** Known before there is a drain: the provider is told it first. */
function drainToken({ id }: Addon): string {
  return `d.${uuidOf('log drain', id)}`;
}
