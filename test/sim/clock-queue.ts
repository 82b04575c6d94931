/** Virtual time: what is to happen, earliest first; equal times in the order they were planned. */
export class ClockQueue {
  #now = 0;
  #planned = 0;
  readonly #heap: { at: number; order: number; run: () => void }[] = [];

  get now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): void {
    this.#push({ at: this.#now + Math.max(0, ms), order: this.#planned++, run });
  }

  /** Runs what is due until `until`, and leaves the clock there. */
  runUntil(until: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.at <= until; next = this.#heap[0]) {
      this.#pop();
      this.#now = next.at;
      next.run();
    }
    this.#now = until;
  }

  #push(entry: { at: number; order: number; run: () => void }): void {
    const heap = this.#heap;
    heap.push(entry);
    for (let i = heap.length - 1; i > 0;) {
      const parent = (i - 1) >> 1;
      if (!isBefore(heap[i], heap[parent])) return;
      [heap[i], heap[parent]] = [heap[parent] as never, heap[i] as never];
      i = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return;
    heap[0] = last;
    for (let i = 0; ;) {
      const left = 2 * i + 1;
      const least = isBefore(heap[left + 1], heap[left]) ? left + 1 : left;
      if (!isBefore(heap[least], heap[i])) return;
      [heap[i], heap[least]] = [heap[least] as never, heap[i] as never];
      i = least;
    }
  }
}

type Entry = { at: number; order: number };

function isBefore(a: Entry | undefined, b: Entry | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
