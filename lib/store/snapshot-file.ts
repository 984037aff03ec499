import { readFileSync } from 'node:fs';
import { writeWhole } from './file-replace.ts';
import type { Lesson } from './learned.ts';
import { decodeSnapshot, encodeSnapshot, type SavedRoute, type Snapshot } from './snapshot.ts';
import type { Notify } from './store.ts';

export interface SnapshotLimits {
  /** Routes kept at most, those longest not confirmed out first. */
  readonly max: number;
  /** A route that nobody has confirmed for so long is not kept, ms. */
  readonly maxAgeMs: number;
}

/** How often the file is written while there is something new, ms. */
const SAVE_MS = 5000;

/** The master's half of `cache.snapshot`: gathers what all workers learn, and writes it to the file. */
export class SnapshotFile {
  readonly path: string;
  /** From the next lesson on. */
  limits: SnapshotLimits;
  readonly #notify: Notify;
  readonly #routes = new Map<string, SavedRoute>();
  #runId: string | null = null;
  #isDirty = false;
  #hasFailed = false;
  #isLeft = false;
  #saving: Promise<void> = Promise.resolve();
  readonly #timer: NodeJS.Timeout;

  /** Takes what the file holds; one that cannot be used is told, and replaced in time. */
  constructor(path: string, limits: SnapshotLimits, notify: Notify) {
    this.path = path;
    this.limits = limits;
    this.#notify = notify;
    this.#load();
    this.#timer = setInterval(() => void this.save(), SAVE_MS).unref();
  }

  /** A worker has learned something. */
  learn({ runId, routes }: Lesson): void {
    this.#runId = runId;
    this.#isDirty = true;
    for (const route of routes) {
      const frontend = typeof route === 'string' ? route : route[0];
      this.#routes.delete(frontend);
      if (typeof route !== 'string') this.#routes.set(frontend, route);
    }
    for (const oldest of this.#routes.keys()) {
      if (this.#routes.size <= this.limits.max) break;
      this.#routes.delete(oldest);
    }
  }

  /** Writes the file when there is something new. Never rejects. */
  save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#save());
    return this.#saving;
  }

  /** Writes what is new for the last time. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.save();
  }

  /** Another process has the file from now on: writes no more. Resolves when a write under way has ended. */
  async leave(): Promise<void> {
    clearInterval(this.#timer);
    this.#isLeft = true;
    await this.#saving;
  }

  #load(): void {
    const file = this.path;
    try {
      const snapshot = readSnapshot(file);
      if (snapshot === null) return;
      this.#runId = snapshot.runId;
      for (const route of snapshot.routes) this.#routes.set(route[0], route);
      this.#notify({ type: 'snapshot-loaded', file, routes: this.#routes.size });
    } catch (error) {
      this.#notify({ type: 'snapshot-refused', file, cause: asError(error) });
    }
  }

  async #save(): Promise<void> {
    if (!this.#isDirty || this.#isLeft) return;
    this.#isDirty = false;
    this.#forgetOld();
    try {
      // Backend URLs may hold passwords: it is for its owner alone.
      await writeWhole(this.path, encodeSnapshot({ runId: this.#runId, routes: [...this.#routes.values()] }));
      this.#hasFailed = false;
    } catch (error) {
      this.#isDirty = true;
      if (!this.#hasFailed) this.#notify({ type: 'snapshot-failed', file: this.path, cause: asError(error) });
      this.#hasFailed = true;
    }
  }

  #forgetOld(): void {
    const since = Date.now() - this.limits.maxAgeMs;
    for (const [frontend, [, , , at]] of this.#routes) {
      if (at < since) this.#routes.delete(frontend);
    }
  }
}

/** What the file holds; null when there is none. @throws Error that says why it cannot be used */
export function readSnapshot(path: string): Snapshot | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  return decodeSnapshot(text);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
