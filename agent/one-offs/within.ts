/** What `work` brings if it does so in time; what comes too late is given to `onLate`, for nobody else has it. */
export async function within<T>(
  work: Promise<T>,
  ms: number,
  errorOf: () => Error,
  onLate: (value: T) => void,
): Promise<T> {
  let isLate = false;
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    isLate = true;
    reject(errorOf());
  }, ms);
  void work.then(
    (value) => {
      if (isLate) onLate(value);
    },
    // It has been told as late already, or is told by the race.
    () => undefined,
  );
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
