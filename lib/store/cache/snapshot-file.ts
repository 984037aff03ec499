import { type ChangeOutcome, ChangeRecord } from '../../core/record/change-record.ts';
import { readOwn } from '../../files/read.ts';
import { writeWhole } from '../../files/replace.ts';
import type { KnownRoutes } from './known-routes.ts';
import { decodeSnapshot, encodeSnapshot, type Snapshot } from './snapshot.ts';
import type { Notify } from '../store.ts';

/** How often the file is written while there are changes, ms. */
const SAVE_MS = 5000;

/** Keeps what is known in the file `cache.snapshot`. */
export class SnapshotFile {
  readonly path: string;
  readonly known: KnownRoutes;
  readonly #notify: Notify;
  /** The version of what is known that the file has. */
  #version: number;
  readonly #writes = new ChangeRecord(Date.now);
  #isLeft = false;
  #saving: Promise<void> = Promise.resolve();
  readonly #timer: NodeJS.Timeout;

  /** Reads the file. A file that cannot be used is reported, and overwritten at the next write. */
  constructor(path: string, known: KnownRoutes, notify: Notify) {
    this.path = path;
    this.known = known;
    this.#notify = notify;
    // This file does not have what is known already.
    this.#version = known.size === 0 ? known.version : -1;
    this.#load();
    this.#timer = setInterval(() => void this.save(), SAVE_MS).unref();
  }

  /** The outcome of the last write; null before the first. */
  get lastWrite(): ChangeOutcome | null {
    return this.#writes.last;
  }

  /** Writes the file if there are changes. Never rejects. */
  save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#save());
    return this.#saving;
  }

  /** Writes the last changes. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.save();
  }

  /** Stops writing, because another process writes the file now. Resolves when a write in progress has ended. */
  async leave(): Promise<void> {
    clearInterval(this.#timer);
    this.#isLeft = true;
    await this.#saving;
  }

  #load(): void {
    const file = this.path;
    const { known } = this;
    try {
      const snapshot = readSnapshot(file);
      if (snapshot === null) return;
      if (known.run.runId === null) known.resume({ runId: snapshot.runId, lostAt: null });
      for (const route of snapshot.routes) known.add([route[0], route[3], JSON.stringify(route)]);
      this.#notify({ type: 'snapshot-loaded', file, routes: known.size });
    } catch (error) {
      this.#notify({ type: 'snapshot-refused', file, cause: asError(error) });
    }
  }

  async #save(): Promise<void> {
    const { known } = this;
    if (known.version === this.#version || this.#isLeft) return;
    const before = this.#version;
    this.#version = known.version;
    known.forgetOld(Date.now());
    try {
      const lines = Array.from(known.all(), ([, , line]) => line ?? '');
      // Backend URLs may contain passwords: only the owner may read the file.
      await writeWhole(this.path, encodeSnapshot({ runId: known.run.runId, lines }));
      this.#writes.made();
    } catch (error) {
      this.#version = before;
      const cause = asError(error);
      const isSaid = (this.#writes.last?.reason ?? null) !== null;
      this.#writes.refused(cause.message);
      if (!isSaid) this.#notify({ type: 'snapshot-failed', file: this.path, cause });
    }
  }
}

/** The content of the file; null when it does not exist. @throws Error that says why it cannot be used */
export function readSnapshot(path: string): Snapshot | null {
  let text: string;
  try {
    text = readOwn(path).toString();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  return decodeSnapshot(text);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
