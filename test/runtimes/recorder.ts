import type { DynoId } from '../../src/ids.ts';
import type { DynoAddress, DynoRuntimeEvent, Runtime, RuntimeEvent } from '../../src/shell/runtime.ts';
import { eventually } from '../helpers/eventually.ts';

type Exited = Extract<RuntimeEvent, { tag: 'exited' }>;
type Available = Extract<RuntimeEvent, { tag: 'available' }>;

/** Everything a runtime told, by dyno. */
export class Recorder {
  readonly events: DynoRuntimeEvent[] = [];
  readonly availability: Available[] = [];

  constructor(runtime: Runtime) {
    runtime.onEvent((event) => {
      if (event.tag === 'available') this.availability.push(event);
      else this.events.push(event);
    });
  }

  of(dyno: DynoId): DynoRuntimeEvent[] {
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

  async line(dyno: DynoId, wanted: string | RegExp, withinMs = 40_000): Promise<string> {
    const matches = (text: string): boolean =>
      typeof wanted === 'string' ? text === wanted : wanted.test(text);
    return await eventually(() => this.lines(dyno).find(matches), { withinMs });
  }

  /** Waits until it listens; gives the address that accepts, or null for a dyno that was given none. */
  async listening(dyno: DynoId, withinMs = 40_000): Promise<DynoAddress | null> {
    const event = await eventually(() => this.of(dyno).find(({ tag }) => tag === 'listening'), { withinMs });
    const started = this.of(dyno).find(({ tag }) => tag === 'started');
    const hasAddress = started?.tag !== 'started' || started.address !== null;
    return hasAddress && event.tag === 'listening' ? event.address : null;
  }

  async exited(dyno: DynoId, withinMs = 40_000): Promise<Exited> {
    return await eventually(() => this.of(dyno).find((event) => event.tag === 'exited'), { withinMs });
  }
}

/** Where a person's browser would find it. */
export function urlOf(address: DynoAddress | null): string {
  if (address === null) throw new Error('Expected a dyno with an address');
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `http://${host}:${address.port}/`;
}
