import type { Context } from './context.ts';
import type { ArgSpecs, FlagSpecs } from './specs.ts';
import type { World } from './world.ts';

export type CommandSpec<F extends FlagSpecs, A extends ArgSpecs> = {
  readonly flags?: F;
  readonly args?: A;
  /** More than the one line that the list of commands shows. */
  readonly details?: string;
  readonly examples?: readonly string[];
  /** Takes `--app`, or finds the app by itself. */
  readonly ofApp?: boolean;
  /** Words after the first argument belong to it, dashes and all. */
  readonly endsFlags?: boolean;
  /** @returns exit status; nothing is 0 */
  readonly run: (context: Context<F, A>) => Promise<number | void>;
};

/** A command as the dispatcher and `help` see it. */
export type Command = Omit<CommandSpec<FlagSpecs, ArgSpecs>, 'run'> & {
  /** Takes its words as they are: another program parses them. */
  readonly runRaw?: (words: readonly string[], world: World) => Promise<number>;
  readonly run?: (context: Context) => Promise<number | void>;
};

/** Ties what a command declares to the types of what it gets. */
export function defineCommand<const F extends FlagSpecs, const A extends ArgSpecs>(
  spec: CommandSpec<F, A>,
): Command {
  // The parser fills flags and args by these very specs, so the wider context that it makes is this one.
  const run = spec.run as unknown as NonNullable<Command['run']>;
  return { ...spec, run };
}
