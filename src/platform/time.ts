const LAST_DATE_MS = 8.64e15;

/** `2026-01-02T03:04:05.678Z`. Times come from other peers' clocks: one that no calendar holds is clamped, not thrown at. */
export function isoTime(ms: number): string {
  const finite = Number.isFinite(ms) ? ms : 0;
  return new Date(Math.min(Math.max(finite, 0), LAST_DATE_MS)).toISOString();
}
