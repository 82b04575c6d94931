import type { Finished, Releases } from '../../src/shell/releases.ts';

/** Release commands that have all written one line. */
export class FakeReleases implements Releases {
  readonly finished: string[] = [];

  async *output(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('migrated\n');
  }

  async finish(_app: string, release: string): Promise<Finished> {
    this.finished.push(release);
    return { isReleased: true, postdeploy: null };
  }
}
