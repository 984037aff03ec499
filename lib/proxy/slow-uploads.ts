import { originOf } from '../core/backend.ts';
import type { Backend } from '../core/types.ts';

/**
 * Bounds the requests to a backend that wait for clients who take their time over a body: half of the requests that it
 * takes at a time are kept for everybody else, however many such clients there are.
 */
export class SlowUploads {
  readonly #counts = new Map<string, number>();

  /**
   * Lets one more in; null when there are too many. What it returns takes it out again, once.
   * @param room requests that the backend takes at a time
   */
  enter(backend: Backend, room: number): (() => void) | null {
    const origin = originOf(backend);
    const count = this.#counts.get(origin) ?? 0;
    if (count >= Math.max(1, Math.floor(room / 2))) return null;
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
