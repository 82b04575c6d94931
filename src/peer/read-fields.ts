/** What is wrong with something that another peer said. */
export class Flaw extends Error {}

/** A map of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** Far above any honest count, and low enough to be counted on from. */
export const COUNT_MAX = 2 ** 48;

export function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Flaw(`${what}: must be a map`);
  return value as Fields;
}

export function textIn(fields: Fields, key: string, lengthMax: number): string {
  const value = fields[key];
  if (typeof value !== 'string' || value.length > lengthMax)
    throw new Flaw(`${key}: must be text of at most ${lengthMax} characters`);
  return value;
}

export function countIn(fields: Fields, key: string): number {
  const value = fields[key];
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > COUNT_MAX)
    throw new Flaw(`${key}: must be a whole number from 0 to ${COUNT_MAX}`);
  return value as number;
}

export function choiceIn<Choice>(fields: Fields, key: string, choices: readonly Choice[]): Choice {
  const value = fields[key] as Choice;
  if (!choices.includes(value)) throw new Flaw(`${key}: must be one of ${choices.join(', ')}`);
  return value;
}

export function listIn<Item>(
  fields: Fields,
  key: string,
  lengthMax: number,
  read: (item: unknown) => Item,
): readonly Item[] {
  const value = fields[key];
  if (!Array.isArray(value) || value.length > lengthMax)
    throw new Flaw(`${key}: must be a list of at most ${lengthMax}`);
  return value.map(read);
}
