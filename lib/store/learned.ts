import type { Route } from '../core/types.ts';
import { saveRoute, type SavedRoute } from './snapshot.ts';

/** What a worker has learned of Redis since it last said so: for the snapshot. Plain data: it goes to the master. */
export interface Lesson {
  readonly runId: string | null;
  /** Hosts that were read. A name alone: nobody knows that host any more. */
  readonly routes: readonly (SavedRoute | string)[];
}

/** How often a worker says what it has learned, ms. */
const TELL_MS = 2000;

/** Gathers what is read anew, and tells it in turns. */
export class Learned {
  readonly #tell: (lesson: Lesson) => void;
  readonly #runId: () => string | null;
  /** Null: nobody knows the host. */
  readonly #routes = new Map<string, SavedRoute | null>();
  readonly #timer: NodeJS.Timeout;
  #toldRunId: string | null = null;

  constructor(runId: () => string | null, tell: (lesson: Lesson) => void) {
    this.#runId = runId;
    this.#tell = tell;
    this.#timer = setInterval(() => this.#tellNow(), TELL_MS).unref();
  }

  /** A host was read. */
  add(frontend: string, route: Route | null): void {
    this.#routes.set(frontend, route && saveRoute(route, Date.now()));
  }

  /** Tells the rest. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#tellNow();
  }

  #tellNow(): void {
    const runId = this.#runId();
    if (this.#routes.size === 0 && runId === this.#toldRunId) return;
    this.#toldRunId = runId;
    const routes = Array.from(this.#routes, ([frontend, route]) => route ?? frontend);
    this.#routes.clear();
    this.#tell({ runId, routes });
  }
}
