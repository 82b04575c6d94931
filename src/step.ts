/** What a pure decision returns: the next state and the effects that the shell must carry out, in this order. */
export type Step<State, Effect> = { readonly state: State; readonly effects: readonly Effect[] };

/**
 * The time a decision is made at. `mono` (ms since the process started) drives every timer; `wall` (ms since the
 * Unix epoch) is for display and for ordering truly concurrent writes, and is never trusted to be right.
 */
export type Now = { readonly mono: number; readonly wall: number };

/** Marks a branch that the types prove unreachable. */
export function assertNever(value: never): never {
  throw new Error(`Unexpected value ${JSON.stringify(value)}`);
}
