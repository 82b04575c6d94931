/** RFC 6125: whether a name of a certificate is for this host name; a star stands for one whole label, the first. */
export function coversName(pattern: string, name: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === name;
  const dot = name.indexOf('.');
  return dot > 0 && name.slice(dot) === pattern.slice(1);
}
