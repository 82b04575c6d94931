/** `512 B`, `12 KB`, `3 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  if (bytes < 1_024 ** 2) return `${Math.round(bytes / 1_024)} KB`;
  return `${Math.round(bytes / 1_024 ** 2)} MB`;
}
