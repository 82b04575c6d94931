import { PlatformError } from '../errors.ts';

/** `version 5..10; max=20, order=desc`. A bound may carry the id of a resource, which orders those of equal value. */
export type Range = {
  readonly field: string;
  readonly start: Bound | null;
  readonly end: Bound | null;
  readonly max: number;
  readonly order: 'asc' | 'desc';
};
type Bound = { readonly value: string; readonly id: string | null; readonly exclusive: boolean };

/** One page of a list, and what the response says of it. */
export type Page<T> = {
  readonly items: readonly T[];
  readonly status: 200 | 206;
  readonly headers: Readonly<Record<string, string>>;
};

export type Rangeable = { readonly id?: string };

export const RANGE_MAX_DEFAULT = 200;
export const RANGE_MAX = 1_000;

const PATTERN = /^([a-z_]+)\s*(\]?)([^;[\]]*?)\.\.([^;[\]]*?)(\[?)\s*(?:;(.*))?$/;

/**
 * Reads a `Range` header in any of the forms that Heroku's clients send; none or an empty one asks for the default.
 * @param fields what the list may be sorted by; the first is the default
 * @throws PlatformError `range_not_satisfiable`
 */
export function parseRange(header: string | undefined, fields: readonly string[]): Range {
  const text = (header ?? '').trim();
  const byDefault: Range = {
    field: fields[0] ?? 'id',
    start: null,
    end: null,
    max: RANGE_MAX_DEFAULT,
    order: 'asc',
  };
  if (text === '') return byDefault;
  const [, field = '', opening, start = '', end = '', closing, options = ''] = PATTERN.exec(text) ?? [];
  if (!fields.includes(field)) {
    throw new PlatformError('range_not_satisfiable', `Cannot read the range "${text.slice(0, 100)}"`, {
      hint: `Ranges look like "${byDefault.field} ..; max=10, order=desc"; this list takes ${fields.join(', ')}`,
    });
  }
  const max = /(?:^|[,;\s])max=(\d{1,9})/.exec(options)?.[1];
  return {
    field,
    start: bound(start, opening === ']'),
    end: bound(end, closing === '['),
    max: max === undefined ? RANGE_MAX_DEFAULT : Math.min(Math.max(Number(max), 1), RANGE_MAX),
    order: /(?:^|[,;\s])order=desc/.test(options) ? 'desc' : 'asc',
  };
}

/** The page of `items` that `range` asks for; where more follow, `Next-Range` is the header that asks for them. */
export function pageOf<T extends Rangeable>(
  items: readonly T[],
  range: Range,
  fields: readonly string[],
): Page<T> {
  const keyed = items.map((item) => ({ item, value: valueOf(item, range.field), id: item.id ?? '' }));
  const { start, end } = range;
  const within = keyed.filter(
    (key) => (start === null || isBeyond(key, start, 1)) && (end === null || isBeyond(key, end, -1)),
  );
  within.sort((a, b) => compareKeys(a, b));
  if (range.order === 'desc') within.reverse();
  const page = within.slice(0, range.max);
  const first = page[0];
  const last = page.at(-1);
  const headers: Record<string, string> = {
    'Accept-Ranges': fields.join(', '),
    'Content-Range': headerSafe(`${range.field} ${first?.value ?? ''}..${last?.value ?? ''}`),
  };
  if (last === undefined || page.length === within.length) {
    return { items: page.map(({ item }) => item), status: 200, headers };
  }
  const edge = `${last.value}~${last.id}`;
  const rest =
    range.order === 'asc'
      ? `]${edge}..${boundText(end, '', '[')}; max=${range.max}`
      : `${boundText(start, ']', '')}..${edge}[; max=${range.max}, order=desc`;
  headers['Next-Range'] = headerSafe(`${range.field} ${rest}`);
  return { items: page.map(({ item }) => item), status: 206, headers };
}

type Key = { readonly value: string; readonly id: string };

function isBeyond(key: Key, { value, id, exclusive }: Bound, sign: 1 | -1): boolean {
  const order = sign * compareKeys(key, { value, id: id ?? key.id });
  return exclusive ? order > 0 : order >= 0;
}

function compareKeys(a: Key, b: Key): number {
  return compareValues(a.value, b.value) || (a.id < b.id ? -1 : Number(a.id > b.id));
}

/** Numbers within text count as numbers, so that `web.2` comes before `web.10`, and version 9 before 10. */
function compareValues(a: string, b: string): number {
  const [as, bs] = [a.split(/(\d+)/), b.split(/(\d+)/)];
  for (let i = 0; i < Math.min(as.length, bs.length); i += 1) {
    const [left = '', right = ''] = [as[i], bs[i]];
    if (left === right) continue;
    const difference = i % 2 === 1 ? Number(left) - Number(right) : 0;
    return difference || (left < right ? -1 : 1);
  }
  return as.length - bs.length;
}

function valueOf(item: object, field: string): string {
  const value = (item as Readonly<Record<string, unknown>>)[field];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function bound(text: string, exclusive: boolean): Bound | null {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  const [value = '', id] = trimmed.split('~');
  return { value, id: id ?? null, exclusive };
}

function boundText(bound: Bound | null, opening: string, closing: string): string {
  if (bound === null) return '';
  const text = bound.id === null ? bound.value : `${bound.value}~${bound.id}`;
  return bound.exclusive ? `${opening}${text}${closing}` : text;
}

const headerSafe = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?');
