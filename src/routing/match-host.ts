import type { AppId } from '../ids.ts';
import type { RouteTable } from './table.ts';

/**
 * The app that a Host header asks for: `APP.<suffix>` (so that no app's domain can take another app's name), else an
 * exact domain, else the nearest wildcard domain.
 * @param host as sent: any case, perhaps with a port or a trailing dot
 */
export function matchHost(table: RouteTable, host: string): AppId | null {
  const name = hostName(host);
  if (name === '') return null;
  return byAppName(table, name) ?? matchDomain(table.hosts, name);
}

/** What is filed under exactly this name, else under the nearest wildcard above it. */
export function matchDomain<T>(hosts: Readonly<Record<string, T>>, name: string): T | null {
  return get(hosts, name) ?? byWildcard(hosts, name);
}

/** Lower case, without port and trailing dot. */
export function hostName(host: string): string {
  const colon = host.startsWith('[') ? host.indexOf(']') + 1 : host.indexOf(':');
  const name = (colon > 0 ? host.slice(0, colon) : host).toLowerCase();
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

function byAppName(table: RouteTable, name: string): AppId | null {
  for (const suffix of table.suffixes) {
    if (!name.endsWith(suffix) || name[name.length - suffix.length - 1] !== '.') continue;
    const app = get(table.names, name.slice(0, -suffix.length - 1));
    if (app !== null) return app;
  }
  return null;
}

function byWildcard<T>(hosts: Readonly<Record<string, T>>, name: string): T | null {
  for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
    const found = get(hosts, `*${name.slice(dot)}`);
    if (found !== null) return found;
  }
  return null;
}

/** A client chooses the name: `constructor` must find nothing. */
function get<T>(record: Readonly<Record<string, T>>, key: string): T | null {
  return Object.hasOwn(record, key) ? (record[key] ?? null) : null;
}
