import type { EngineStack, LocalStack } from '../../src/shell/stack.ts';

/** A peer without an Engine, to which every file is a stack for its own kind of machine. */
export class FakeStack implements LocalStack {
  arch = 'x64';
  engine: EngineStack = { engine: false, image: 'kith/stack:bookworm', present: false, blob: null };

  async status(): Promise<EngineStack> {
    return this.engine;
  }

  async inspect(): Promise<string> {
    return this.arch;
  }
}
