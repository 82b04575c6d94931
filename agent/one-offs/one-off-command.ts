/**
 * The shell command of a one-off: when its first word is a process type of the release, that type's command stands in
 * for it and the other words follow, as on Heroku.
 */
export function commandOf(command: string, processTypes: Readonly<Record<string, string>>): string {
  const [first = '', ...rest] = command.split(' ');
  const known = Object.hasOwn(processTypes, first) ? processTypes[first] : undefined;
  return known === undefined ? command : [known, ...rest].join(' ');
}
