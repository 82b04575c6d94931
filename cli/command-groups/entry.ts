import type { Command } from '../lib/line/command.ts';

/** A command in the list of all. */
export type Listed = {
  readonly summary: string;
  /** Commands are imported when they run: the CLI starts fast because it loads one of them. */
  readonly load: () => Promise<Command>;
};

/** What `kith help` shows under one title, in this order. */
export type CommandGroup = {
  readonly title: string;
  readonly commands: Readonly<Record<string, Listed>>;
};

export function entry(summary: string, load: () => Promise<{ default: Command }>): Listed {
  return { summary, load: async () => (await load()).default };
}
