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

export type FlagValue = string | boolean | readonly string[] | undefined;
export type Parsed = {
  readonly flags: Readonly<Record<string, FlagValue>>;
  readonly args: Readonly<Record<string, string | readonly string[] | undefined>>;
};
