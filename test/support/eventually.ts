import { setTimeout as delay } from 'node:timers/promises';

/** Repeats a check until it no longer throws, for what no event tells. @throws its last error after `limitMs` */
export async function eventually<T>(check: () => T | Promise<T>, limitMs = 20_000): Promise<T> {
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
