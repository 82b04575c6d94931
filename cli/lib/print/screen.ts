import { paintFor, type Paint } from './paint.ts';
import { renderTable } from './table.ts';
import type { World } from '../line/world.ts';

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const SPINNER_MS = 90;
// What people's terminals have had for fifty years.
const WIDTH_DEFAULT = 80;

/** Where a command writes: results to stdout, everything about how it goes to stderr. */
export class Screen {
  readonly paint: Paint;
  readonly paintErr: Paint;
  readonly isJson: boolean;
  readonly #world: World;

  constructor(world: World, isJson: boolean) {
    this.#world = world;
    this.isJson = isJson;
    this.paint = paintFor(world.stdout, world.env);
    this.paintErr = paintFor(world.stderr, world.env);
  }

  line(text = ''): void {
    this.#world.stdout.write(`${text}\n`);
  }

  lines(texts: readonly string[]): void {
    for (const text of texts) this.line(text);
  }

  json(value: unknown): void {
    this.line(JSON.stringify(value, null, 2));
  }

  /** `=== title`. */
  heading(title: string): void {
    this.line(this.paint.bold(`=== ${title}`));
  }

  /** `Key:  value` lines under a heading; undefined values are left out. */
  facts(facts: Readonly<Record<string, string | undefined>>): void {
    const shown = Object.entries(facts).filter(([, value]) => value !== undefined);
    const width = Math.max(0, ...shown.map(([key]) => key.length)) + 1;
    for (const [key, value] of shown) this.line(`${`${key}:`.padEnd(width)} ${value ?? ''}`.trimEnd());
  }

  table(headers: readonly string[], rows: readonly (readonly string[])[]): void {
    const { isTTY, columns } = this.#world.stdout;
    const width = isTTY === true ? (columns ?? WIDTH_DEFAULT) : Infinity;
    this.lines(renderTable(headers, rows, { width, header: this.paint.bold }));
  }

  /** Something that is worth saying but is no result. */
  note(text: string): void {
    this.#world.stderr.write(`${text}\n`);
  }

  warn(text: string): void {
    const arrow = this.paintErr.yellow(' ›');
    for (const line of text.split('\n')) this.note(`${arrow}   ${this.paintErr.yellow('Warning:')} ${line}`);
  }

  /** `⬢ name`, as Heroku marks apps. For stderr. */
  app(name: string): string {
    return this.paintErr.magenta(`⬢ ${name}`);
  }

  /**
   * Shows `label...` on stderr while `work` runs, and what came of it after. On a terminal something moves meanwhile.
   * @param done what follows the dots; `done` unless given
   */
  async progress<T>(
    label: string,
    work: (update: (status: string) => void) => Promise<T>,
    done: (result: T) => string = () => 'done',
  ): Promise<T> {
    if (this.isJson) return work(() => {});
    const line = new ProgressLine(this.#world, label);
    try {
      const result = await work((status) => line.update(status));
      line.end(done(result));
      return result;
    } catch (error) {
      line.end(this.paintErr.red('!'));
      throw error;
    }
  }
}

class ProgressLine {
  readonly #stderr: World['stderr'];
  readonly #label: string;
  readonly #timer: NodeJS.Timeout | null = null;
  #status = '';
  #frame = 0;

  constructor({ stderr }: World, label: string) {
    this.#stderr = stderr;
    this.#label = label;
    if (stderr.isTTY === true) this.#timer = setInterval(() => this.#draw(), SPINNER_MS).unref();
    stderr.write(`${label}... `);
  }

  update(status: string): void {
    this.#status = status;
  }

  end(text: string): void {
    if (this.#timer === null) {
      this.#stderr.write(`${text}\n`);
      return;
    }
    clearInterval(this.#timer);
    this.#stderr.write(`\r\u001B[K${this.#label}... ${text}\n`);
  }

  #draw(): void {
    this.#frame = (this.#frame + 1) % SPINNER.length;
    this.#stderr.write(`\r\u001B[K${this.#label}... ${SPINNER[this.#frame]} ${this.#status}`);
  }
}
