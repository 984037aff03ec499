import type { Route } from '../../core/routing/types.ts';
import { saveRoute } from './snapshot.ts';

/**
 * What a worker has read of a host, a prefix or an error page. `at`: ms since 1970. `line`: a SavedRoute as JSON, or
 * the page; null where there is none.
 */
export type UpdatedRoute = readonly [frontend: string, at: number, line: string | null];

/** What a worker has read from Redis since its last update. Plain data: it is sent to the master. */
export interface SnapshotUpdate {
  readonly runId: string | null;
  /** Since when Redis has not replied to the worker, ms since 1970; null while it replies. */
  readonly lostAt: number | null;
  readonly routes: readonly UpdatedRoute[];
}

/** How long changes are collected, ms: they are lost when the worker dies. */
const TELL_MS = 200;
/** How many unknown names an update may have: clients can make up any number. */
const MAX_GONE = 1_000;

/** Collects what is read, and sends it in updates. */
export class SnapshotUpdates {
  readonly #tell: (update: SnapshotUpdate) => void;
  readonly #runId: () => string | null;
  /** The text is made when the update is sent, once per host. Null: there is no such host. */
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

  /** Redis replies again, maybe as another run. */
  up(): void {
    this.#lostAt = null;
    this.#arm();
  }

  /** Redis does not reply. */
  lost(): void {
    this.#lostAt ??= Date.now();
    this.#arm();
  }

  /** Sends the last update. */
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
