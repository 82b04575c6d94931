/** Prints a stream of text as whole lines. */
export class LinePrinter {
  readonly #print: (line: string) => void;
  readonly #decoder = new TextDecoder();
  #rest = '';

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  write(chunk: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#print(line.replace(/\r$/, ''));
  }

  end(): void {
    if (this.#rest !== '') this.#print(this.#rest);
    this.#rest = '';
  }
}
