import type { DynoId } from '../../src/ids.ts';
import type { Runtime, RuntimeEvent } from '../../src/shell/runtime.ts';
import { eventually } from '../helpers/eventually.ts';

type Exited = Extract<RuntimeEvent, { tag: 'exited' }>;

/** Everything a runtime told, by dyno. */
export class Recorder {
  readonly events: RuntimeEvent[] = [];

  constructor(runtime: Runtime) {
    runtime.onEvent((event) => this.events.push(event));
  }

  of(dyno: DynoId): RuntimeEvent[] {
    return this.events.filter((event) => event.dyno === dyno);
  }

  tags(dyno: DynoId): string[] {
    return this.of(dyno).map((event) => event.tag);
  }

  lines(dyno: DynoId): string[] {
    return this.output(dyno).map((event) => event.text);
  }

  output(dyno: DynoId): Extract<RuntimeEvent, { tag: 'output' }>[] {
    return this.of(dyno).filter((event) => event.tag === 'output');
  }

  async line(dyno: DynoId, wanted: string | RegExp, withinMs = 10_000): Promise<string> {
    const matches = (text: string): boolean =>
      typeof wanted === 'string' ? text === wanted : wanted.test(text);
    return await eventually(() => this.lines(dyno).find(matches), { withinMs });
  }

  async listening(dyno: DynoId, withinMs = 15_000): Promise<number | null> {
    await eventually(() => this.tags(dyno).includes('listening'), { withinMs });
    const started = this.of(dyno).find((event) => event.tag === 'started');
    return started?.tag === 'started' ? started.port : null;
  }

  async exited(dyno: DynoId, withinMs = 15_000): Promise<Exited> {
    return await eventually(() => this.of(dyno).find((event) => event.tag === 'exited'), { withinMs });
  }
}
