import type { Context } from './context.ts';
import type { World } from './world.ts';

export type FlagSpec = {
  readonly kind: 'boolean' | 'string' | 'list';
  readonly short?: string;
  /** What stands for the value in help: `NAME`. */
  readonly value?: string;
  readonly summary: string;
};
export type FlagSpecs = Readonly<Record<string, FlagSpec>>;

/** `rest` takes all words that are left. */
export type ArgSpec = { readonly is: 'required' | 'optional' | 'rest'; readonly summary?: string };
export type ArgSpecs = Readonly<Record<string, ArgSpec>>;

export type FlagValues<F extends FlagSpecs> = {
  readonly [Name in keyof F]: F[Name]['kind'] extends 'boolean'
    ? boolean
    : F[Name]['kind'] extends 'list'
      ? readonly string[]
      : string | undefined;
};

export type ArgValues<A extends ArgSpecs> = {
  readonly [Name in keyof A]: A[Name]['is'] extends 'required'
    ? string
    : A[Name]['is'] extends 'rest'
      ? readonly string[]
      : string | undefined;
};

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

/** Flags that every command has. */
export const GLOBAL_FLAGS = {
  host: {
    kind: 'string',
    value: 'HOST',
    summary: "a peer's API: 10.0.0.2:5001, http://…, unix:/path (KITH_HOST)",
  },
  data: { kind: 'string', value: 'DIR', summary: 'data directory of the agent on this machine (KITH_DATA)' },
  json: { kind: 'boolean', summary: "print the API's own resource" },
  help: { kind: 'boolean', short: 'h', summary: 'show this' },
} as const satisfies FlagSpecs;

export const APP_FLAGS = {
  app: { kind: 'string', short: 'a', value: 'APP', summary: 'app to run the command on (KITH_APP)' },
  remote: {
    kind: 'string',
    short: 'r',
    value: 'REMOTE',
    summary: 'git remote that names the app, if not "kith"',
  },
} as const satisfies FlagSpecs;
