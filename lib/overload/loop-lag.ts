import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How often it looks, ms. */
const LOOK_MS = 20;
/** With fewer looks nothing is concluded: a single pause, however long, is no lag. */
const LEAST = 3;

/** Measures how late this process' event loop is. */
export class LoopLag {
  readonly #loop = monitorEventLoopDelay({ resolution: LOOK_MS });

  constructor() {
    this.#loop.enable();
  }

  /** The median since the last result, ms; null while there are too few looks. */
  take(): number | null {
    const loop = this.#loop;
    if (loop.count < LEAST) return null;
    // It has the time between looks, ns.
    const lagMs = Math.max(0, loop.percentile(50) / 1e6 - LOOK_MS);
    loop.reset();
    return lagMs;
  }

  close(): void {
    this.#loop.disable();
  }
}
