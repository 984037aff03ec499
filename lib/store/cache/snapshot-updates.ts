import type { Route } from '../../core/routing/types.ts';
import { saveRoute } from './snapshot.ts';

/**
 * What a worker has read of a host or of one of its prefixes, or an error page. `at`: since the epoch, ms. `line`: a
 * SavedRoute as JSON, or the page; null where there is none.
 */
export type UpdatedRoute = readonly [frontend: string, at: number, line: string | null];

/** What a worker has learned of Redis since it last said so. Plain data: it goes to the master. */
export interface SnapshotUpdate {
  readonly runId: string | null;
  /** Since when the worker has had no answer, ms since the epoch; null while it has. */
  readonly lostAt: number | null;
  readonly routes: readonly UpdatedRoute[];
}

/** How long what was learned waits for more, ms: it is lost when the worker dies. */
const TELL_MS = 200;
/** Unknown names in one update at most: there is no end of them. */
const MAX_GONE = 1_000;

/** Gathers what is read anew, and tells it in turns. */
export class SnapshotUpdates {
  readonly #tell: (update: SnapshotUpdate) => void;
  readonly #runId: () => string | null;
  /** Text is made when it is told: a host that is read more than once has it made once. Null: there is no such host. */
  readonly #routes = new Map<string, { readonly what: Route | string | null; readonly at: number }>();
  #gone = 0;
  #lostAt: number | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(runId: () => string | null, tell: (update: SnapshotUpdate) => void) {
    this.#runId = runId;
    this.#tell = tell;
  }

  /** A host was read. */
  add(frontend: string, route: Route | null): void {
    if (route === null && ++this.#gone > MAX_GONE) return;
    this.#routes.set(frontend, { what: route, at: Date.now() });
    this.#arm();
  }

  /** An error page was read; see last-known-pages.ts. */
  addPage(name: string, line: string | null): void {
    this.#routes.set(name, { what: line, at: Date.now() });
    this.#arm();
  }

  /** Redis answers, perhaps as another run. */
  up(): void {
    this.#lostAt = null;
    this.#arm();
  }

  /** It does not. */
  lost(): void {
    this.#lostAt ??= Date.now();
    this.#arm();
  }

  /** Tells the rest. */
  close(): void {
    if (this.#timer !== null) this.#tellNow();
  }

  #arm(): void {
    this.#timer ??= setTimeout(() => this.#tellNow(), TELL_MS).unref();
  }

  #tellNow(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const routes = Array.from(this.#routes, ([name, { what, at }]): UpdatedRoute => {
      return [name, at, typeof what === 'string' ? what : what && JSON.stringify(saveRoute(what, at))];
    });
    this.#routes.clear();
    this.#gone = 0;
    this.#tell({ runId: this.#runId(), lostAt: this.#lostAt, routes });
  }
}
