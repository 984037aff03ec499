const MIB = 1_048_576;

/**
 * Looks at the process's memory from time to time and says, each time, when it is past a limit.
 * @param limitMB resident set size, MiB; 0 for none
 * @param intervalSeconds between two looks
 * @param onFat told how many MiB it has
 * @returns stops it
 */
export function watchMemory(limitMB: number, intervalSeconds: number, onFat: (megabytes: number) => void): () => void {
  if (limitMB === 0) return () => {};
  const timer = setInterval(() => {
    const megabytes = Math.round(process.memoryUsage.rss() / MIB);
    if (megabytes >= limitMB) onFat(megabytes);
  }, intervalSeconds * 1000);
  timer.unref();
  return () => clearInterval(timer);
}
