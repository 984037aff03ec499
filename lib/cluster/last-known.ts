import type { Config } from '../config/config.ts';
import { SnapshotFile } from '../store/snapshot-file.ts';
import type { Lesson } from '../store/learned.ts';
import type { Notify } from '../store/store.ts';

/** The routes that workers knew last, in the file that the configuration names for them, if it names one. */
export class LastKnown {
  readonly #notify: Notify;
  #file: SnapshotFile | null = null;

  constructor(notify: Notify) {
    this.#notify = notify;
  }

  /** Keeps them where a configuration says. What is known stays when that is where they are. */
  async configure({ cache, driver }: Config): Promise<void> {
    const path = driver.read.startsWith('file:') ? null : cache.snapshot;
    const limits = { max: cache.max, maxAgeMs: cache.maxStale * 1000 };
    if (path !== null && path === this.#file?.path) {
      this.#file.limits = limits;
      return;
    }
    await this.#file?.close();
    this.#file = path === null ? null : new SnapshotFile(path, limits, this.#notify);
  }

  /** A worker has read something from Redis. */
  learn(lesson: Lesson): void {
    this.#file?.learn(lesson);
  }

  /** Resolves when all that is known is in the file: for new workers, who read it. */
  async save(): Promise<void> {
    await this.#file?.save();
  }

  /** A successor keeps them from now on: what this one learns is older, and is not to take the place of that. */
  async leave(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.leave();
  }

  /** Saves for the last time. */
  async close(): Promise<void> {
    await this.#file?.close();
  }
}
