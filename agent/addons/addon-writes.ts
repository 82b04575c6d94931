import { DRAIN_URL_KEY, parseDrainUrl } from '../../src/drain-url.ts';
import { PlatformError } from '../../src/errors.ts';
import type { AppId, DrainId, OpId } from '../../src/ids.ts';
import { ADDON_DRAIN_KEY } from '../../src/ledger/addons/addon-types.ts';
import type { Addon, AddonSettlement, SealedConfig } from '../../src/ledger/addons/addon-types.ts';
import type { Command } from '../../src/ledger/command.ts';
import type { Sealed } from '../../src/ledger/values.ts';
import { uuidOf } from '../../src/platform/ids.ts';
import type { AddonConfig, PlanChangeReply, ProvisionReply } from '../../src/shell/addon-provider.ts';
import type { PeerHost } from '../../src/shell/host.ts';

const NOTHING_YET = { providerId: null, message: null, drainUrl: null } as const;

/** What is written of an add-on by the peer whose duty it is, as a user that has its provider's name. */
export class AddonWrites {
  readonly #host: () => PeerHost;

  constructor(host: () => PeerHost) {
    this.#host = host;
  }

  /** Persisted before it is sent: should nobody hear the answer, whoever destroys the add-on knows that there may be one. */
  async asking(addon: Addon): Promise<void> {
    const ops = await this.#settle(addon, { state: 'asking', ...NOTHING_YET });
    if (ops.length > 0) return;
    throw new PlatformError('conflict', `"${addon.name}" is not to be provisioned any more`);
  }

  async provisioned(addon: Addon, reply: ProvisionReply): Promise<void> {
    const { state, id, config, message, logDrainUrl } = reply;
    // One that leads nowhere is for the provider to mend: it gets a retry, and the log says why.
    if (logDrainUrl !== null) parseDrainUrl(logDrainUrl);
    const drainUrl = logDrainUrl === null ? null : this.#host().seal(addon.id, ADDON_DRAIN_KEY, logDrainUrl);
    await this.#settle(addon, { state, providerId: id, message, drainUrl }, config);
  }

  async refused(addon: Addon, message: string): Promise<void> {
    await this.#settle(addon, { ...NOTHING_YET, state: 'refused', message });
  }

  async deprovisioned(addon: Addon): Promise<void> {
    await this.#settle(addon, { state: 'deprovisioned', ...NOTHING_YET });
  }

  /** What the provider said of a plan that was asked for. */
  async planAnswered(
    addon: Addon,
    change: OpId,
    answer: PlanChangeReply | { readonly refused: string },
  ): Promise<void> {
    const said =
      'refused' in answer
        ? { done: false, message: answer.refused, config: {} }
        : { done: true, message: answer.message, config: this.#seal(addon, answer.config ?? {}) };
    await this.command(addon, { type: 'addon.answer', app: addon.app, addon: addon.id, change, ...said });
  }

  async rotated(
    addon: Addon,
    rotation: OpId,
    stage: 'released' | 'ended',
    config: AddonConfig = {},
  ): Promise<void> {
    const sealed = this.#seal(addon, config);
    await this.command(addon, {
      type: 'addon.rotated',
      app: addon.app,
      addon: addon.id,
      rotation,
      stage,
      config: sealed,
    });
  }

  /** `vars`: what the add-on's config is called in that app, sealed for it. */
  async synced(addon: Addon, app: AppId, vars: SealedConfig): Promise<void> {
    const version = addon.configVersion;
    await this.command(addon, { type: 'attachment.sync', app, addon: addon.id, version, vars });
  }

  /** The URL is the provider's, the drain the app's: it has the add-on's own id, so that it is made once. */
  async drainAdded(addon: Addon, url: Sealed): Promise<void> {
    const host = this.#host();
    await this.command(addon, {
      type: 'drain.add',
      app: addon.app,
      drain: addon.id as string as DrainId,
      token: drainToken(addon),
      url: host.seal(addon.app, DRAIN_URL_KEY, host.open(addon.id, ADDON_DRAIN_KEY, url)),
      addon: addon.id,
    });
  }

  async givenUp(addon: Addon, reason: string): Promise<void> {
    await this.command(addon, {
      type: 'addon.destroy',
      app: addon.app,
      addon: addon.id,
      force: true,
      reason,
    });
  }

  command({ service }: Addon, command: Command): Promise<readonly OpId[]> {
    return this.#host().command(command, { user: `${service}@addons.heroku.com`, request: null });
  }

  #settle(addon: Addon, settlement: AddonSettlement, config: AddonConfig = {}): Promise<readonly OpId[]> {
    const sealed = this.#seal(addon, config);
    return this.command(addon, {
      type: 'addon.settle',
      app: addon.app,
      addon: addon.id,
      ...settlement,
      config: sealed,
    });
  }

  #seal(addon: Addon, config: AddonConfig): SealedConfig {
    const host = this.#host();
    return Object.fromEntries(
      Object.entries(config).map(([key, value]) => [key, host.seal(addon.id, key, value)]),
    );
  }
}

/** Known before there is a drain: the provider is told it first. */
export function drainToken({ id }: Addon): string {
  return `d.${uuidOf('log drain', id)}`;
}
