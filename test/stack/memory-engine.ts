import type { EngineImage } from '../../agent/stack/engine.ts';

/** An Engine that only remembers its images. */
export class MemoryEngine {
  readonly images = new Map<string, EngineImage>();
  readonly pulled: string[] = [];
  refusal: Error | null = null;

  async image(name: string): Promise<EngineImage | null> {
    return this.images.get(name) ?? null;
  }

  async import(name: string, blob: string): Promise<void> {
    if (this.refusal !== null) throw this.refusal;
    this.images.set(name, { blob });
  }

  async pull(name: string): Promise<void> {
    if (this.refusal !== null) throw this.refusal;
    this.pulled.push(name);
    this.images.set(name, { blob: null });
  }
}
