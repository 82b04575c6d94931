import type { FoldOp } from '../op-graph.ts';
import { writeRegister } from '../register.ts';
import type { Register } from '../register.ts';
import type { Provider, ProviderBody } from './provider-types.ts';

/** Who makes add-ons, as registers by id; null where one was removed. */
export type ProvidersState = ReadonlyMap<
  string,
  Register<Extract<ProviderBody, { readonly kind: 'provider.set' }> | null>
>;

export function applyProvider(state: ProvidersState, op: FoldOp, body: ProviderBody): ProvidersState {
  const write = { id: op.id, hlc: op.hlc, value: body.kind === 'provider.set' ? body : null };
  return new Map(state).set(body.provider, writeRegister(state.get(body.provider), write, op.parents));
}

export function toProviders(state: ProvidersState): ReadonlyMap<string, Provider> {
  const shown = new Map<string, Provider>();
  for (const [id, [latest]] of state) {
    if (latest === undefined || latest.value === null) continue;
    const { manifest, settings } = latest.value;
    shown.set(id, { id, manifest, settings, setAt: latest.hlc.ms });
  }
  return shown;
}
