import type { View } from '../../src/ledger/view.ts';

/** A view as text: equal for views that mean the same, whatever the order their maps were filled in. */
export function canonicalView(view: View): string {
  return JSON.stringify(canonical(view));
}

function canonical(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== 'object') return value;
  const entries = isMap(value) ? [...value.entries()] : Object.entries(value);
  return entries
    .map(([key, inner]) => [String(key), canonical(inner)] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function isMap(value: object): value is ReadonlyMap<unknown, unknown> {
  return 'entries' in value && typeof value.entries === 'function';
}
