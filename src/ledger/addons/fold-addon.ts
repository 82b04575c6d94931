import { encode } from '@ipld/dag-cbor';
import type { AddonId, AppId, OpId } from '../../ids.ts';
import { assertNever } from '../../step.ts';
import { digest } from '../codec.ts';
import { compareStamps } from '../hlc.ts';
import type { FoldOp, OpOf } from '../op-graph.ts';
import type { Sealed } from '../values.ts';
import { writeRegister } from '../register.ts';
import type { Register, Write } from '../register.ts';
import type { Addon, AddonBody, AddonSettlement, AddonState } from './addon-types.ts';
import { rotationOf } from './rotation.ts';
import type { RotationStage } from './rotation.ts';

type Answer = { readonly done: boolean; readonly message: string | null };

/** One add-on as registers. */
export type AddonRegisters = {
  /** The earliest, should there be two. Null while only later ops are here. */
  readonly created: OpOf<'addon.create'> | null;
  /** Since it was created. */
  readonly name: Register<string>;
  /** All that was ever written there. */
  readonly renames: readonly Write<string>[];
  readonly plan: Register<{ readonly plan: string; readonly from: string }>;
  readonly answers: ReadonlyMap<OpId, Answer>;
  /**
   * What its provider said. A deprovisioning replaces only what its writer knew of: had another peer provisioned it once
   * more meanwhile, that stays, and the add-on is deprovisioned again.
   */
  readonly settled: Register<AddonSettlement>;
  readonly config: ReadonlyMap<string, Register<Sealed | null>>;
  readonly rotation: Register<RotationStage>;
  readonly destroyed: Register<string | null>;
  readonly updatedAt: number;
};

const NEW: AddonRegisters = {
  created: null,
  name: [],
  renames: [],
  plan: [],
  answers: new Map(),
  settled: [],
  config: new Map(),
  rotation: [],
  destroyed: [],
  updatedAt: 0,
};

export function applyAddon(before: AddonRegisters = NEW, op: FoldOp, body: AddonBody): AddonRegisters {
  const state = { ...before, updatedAt: Math.max(before.updatedAt, op.hlc.ms) };
  const write = <T>(register: Register<T>, value: T): Register<T> =>
    writeRegister(register, { id: op.id, hlc: op.hlc, value }, op.parents);
  switch (body.kind) {
    case 'addon.create': {
      const { created } = state;
      const isEarliest = created === null || compareStamps(op, created) < 0;
      return {
        ...state,
        created: isEarliest ? { ...op, body } : created,
      };
    }
    case 'addon.settle': {
      const { state: said, providerId, message, drainUrl } = body;
      return { ...state, settled: write(state.settled, { state: said, providerId, message, drainUrl }) };
    }
    case 'addon.config': {
      const config = new Map(state.config);
      for (const [key, value] of Object.entries(body.config)) {
        config.set(key, write(config.get(key) ?? [], value));
      }
      return { ...state, config };
    }
    case 'addon.rename': {
      const { id, hlc } = op;
      const renames = [...state.renames, { id, hlc, value: body.name }];
      return { ...state, name: write(state.name, body.name), renames };
    }
    case 'addon.plan':
      return { ...state, plan: write(state.plan, { plan: body.plan, from: body.from }) };
    case 'addon.answer': {
      // Two peers may have asked: that it was done once is what counts.
      const done = body.done || state.answers.get(body.change)?.done === true;
      const message = leastOf(state.answers.get(body.change), body);
      return { ...state, answers: new Map(state.answers).set(body.change, { done, message }) };
    }
    case 'addon.rotate':
      return { ...state, rotation: write(state.rotation, body.stage) };
    case 'addon.destroy':
      return { ...state, destroyed: write(state.destroyed, body.reason) };
    default:
      return assertNever(body);
  }
}

/** Of two answers the message of the better one or, where they are alike, the same at every peer. */
function leastOf(a: Answer | undefined, b: Answer): string | null {
  if (a === undefined || a.done !== b.done) return a?.done === true ? a.message : b.message;
  return (a.message ?? '') < (b.message ?? '') ? a.message : b.message;
}

/**
 * All that were created, as readers see them; those that are gone too, so that late ops do not revive them.
 * @param names what they are called among all apps' add-ons: see `assignAddonNames`
 */
export function toAddons(
  states: ReadonlyMap<AddonId, AddonRegisters>,
  app: AppId,
  isAppDestroyed: boolean,
  names: ReadonlyMap<AddonId, string>,
): ReadonlyMap<AddonId, Addon> {
  const shown = new Map<AddonId, Addon>();
  for (const [id, registers] of states) {
    const { created, settled, answers, updatedAt } = registers;
    if (created === null) continue;
    const { body, hlc } = created;
    const [plan] = registers.plan;
    const isAnswered = plan === undefined || answers.has(plan.id);
    const isChanged = plan !== undefined && answers.get(plan.id)?.done === true;
    const said = settled.find(({ value }) => value.state === 'provisioned') ?? settled[0];
    const config = new Map([...registers.config].map(([key, [write]]) => [key, write?.value ?? null]));
    shown.set(id, {
      id,
      app,
      name: names.get(id) ?? body.name,
      wantedName: registers.name[0]?.value ?? body.name,
      service: body.service,
      prefix: body.prefix,
      plan: (isChanged ? plan.value.plan : plan?.value.from) ?? body.plan,
      change: isAnswered ? null : { id: plan.id, plan: plan.value.plan },
      answers,
      rotation: rotationOf(registers.rotation),
      state: stateOf(registers, isAppDestroyed),
      accepted: settled.some(({ value }) => value.state === 'provisioned' || value.state === 'provisioning'),
      refused: settled.length > 0 && settled.every(({ value }) => value.state === 'refused'),
      providerId: said?.value.providerId ?? null,
      message: said?.value.message ?? registers.destroyed[0]?.value ?? null,
      drainUrl: said?.value.drainUrl ?? null,
      options: body.options,
      attachment: body.attachment,
      user: body.user,
      config,
      configVersion: configVersion(config),
      createdAt: hlc.ms,
      updatedAt,
    });
  }
  return shown;
}

/** Equal values have equal versions, whoever wrote them: sealing is deterministic. */
export function configVersion(config: ReadonlyMap<string, Sealed | null>): string {
  return digest(encode([...config].sort(([a], [b]) => (a < b ? -1 : 1))));
}

/** Once it is to go, or was refused by one peer's asking and taken by another's, it is gone only when nothing else was said. */
export function isGone({ settled }: Pick<AddonRegisters, 'settled'>): boolean {
  return settled.length > 0 && settled.every(({ value }) => isEnd(value.state));
}

function stateOf(registers: AddonRegisters, isAppDestroyed: boolean): AddonState {
  const { settled, destroyed } = registers;
  if (isGone(registers)) return 'deprovisioned';
  const isEnding = settled.some(({ value }) => isEnd(value.state));
  if (isEnding || isAppDestroyed || destroyed.length > 0) return 'deprovisioning';
  return settled.some(({ value }) => value.state === 'provisioned') ? 'provisioned' : 'provisioning';
}

export function isEnd(said: AddonSettlement['state']): boolean {
  return said === 'refused' || said === 'deprovisioned';
}
