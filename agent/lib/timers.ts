/** Calls `work` regularly until `signal` aborts; never keeps the process alive. */
export function every(ms: number, signal: AbortSignal, work: () => void): void {
  const timer = setInterval(work, ms);
  timer.unref();
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}

/** A function that calls `work` once, soon, however often it is called before. */
export function coalesce(work: () => void): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    setImmediate(() => {
      isDue = false;
      work();
    });
  };
}
