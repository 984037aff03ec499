import { originOf } from '../core/backend.ts';
import type { Backend } from '../core/types.ts';

/**
 * Bounds the connections to a backend that wait for clients who take their time over a body: half of them stay free
 * for everybody else, however many such clients there are.
 */
export class SlowUploads {
  readonly #limit: number;
  readonly #counts = new Map<string, number>();

  /** @param maxSockets connections to one backend in all */
  constructor(maxSockets: number) {
    this.#limit = Math.max(1, Math.floor(maxSockets / 2));
  }

  /** Takes one of a backend's places; null when none is left. What it returns gives the place back, once. */
  enter(backend: Backend): (() => void) | null {
    const origin = originOf(backend);
    const count = this.#counts.get(origin) ?? 0;
    if (count >= this.#limit) return null;
    this.#counts.set(origin, count + 1);
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      const left = (this.#counts.get(origin) ?? 1) - 1;
      if (left === 0) this.#counts.delete(origin);
      else this.#counts.set(origin, left);
    };
  }
}
