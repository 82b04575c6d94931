export type ServerEvent = {
  /** What to send as Last-Event-ID to go on after this event. */ readonly id: string | null;
  readonly lines: readonly string[];
};

/** Server-sent events out of text that comes in any pieces. https://html.spec.whatwg.org/#parsing-an-event-stream */
export class SseParser {
  /** Ms to wait before connecting again, once the server has said so. */
  retryMs: number | null = null;
  #rest = '';
  #id: string | null = null;
  #lines: string[] = [];

  /** The events that this piece completes. */
  push(text: string): readonly ServerEvent[] {
    const rows = (this.#rest + text).split('\n');
    this.#rest = rows.pop() ?? '';
    const events: ServerEvent[] = [];
    for (const row of rows) {
      const field = row.endsWith('\r') ? row.slice(0, -1) : row;
      if (field !== '') this.#take(field);
      else if (this.#lines.length > 0) {
        events.push({ id: this.#id, lines: this.#lines });
        this.#lines = [];
      }
    }
    return events;
  }

  #take(row: string): void {
    const colon = row.indexOf(':');
    const name = colon === -1 ? row : row.slice(0, colon);
    const value = colon === -1 ? '' : row.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.#lines.push(value);
    if (name === 'id') this.#id = value;
    if (name === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
  }
}
