import { setTimeout as delay } from 'node:timers/promises';

/** Longer than anything here takes on a busy machine, ms. */
const PATIENCE_MS = 20_000;

/** Repeats a check until it no longer throws, for what no event tells. @throws its last error after `limitMs` */
export async function eventually<T>(check: () => T | Promise<T>, limitMs = PATIENCE_MS): Promise<T> {
  const deadline = performance.now() + limitMs;
  while (true) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await delay(10);
  }
}
