/** What this peer's Engine has of the stack, for people to see. */
export type EngineStack = {
  /** Whether a Docker Engine answers here. */
  readonly engine: boolean;
  /** What dynos here would run on: `kith/stack:bookworm`, or the registry image that the settings name. */
  readonly image: string;
  /** Whether the Engine has it. */
  readonly present: boolean;
  /** The blob that the Engine's image was made from; null when absent, or not made from one. */
  readonly blob: string | null;
};

/** The stack as one peer has it. */
export interface LocalStack {
  status(): Promise<EngineStack>;
  /** The architecture of a stack file (`x64`, `arm64`); throws `invalid_params` for what is no stack. */
  inspect(path: string): Promise<string>;
}
