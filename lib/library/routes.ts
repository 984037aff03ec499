import type { SiteFeature } from '../sites/feature.ts';
import { encodeRoutes } from '../store/file/routes-image.ts';
import { parseRoutes } from '../store/file/routes-json.ts';
import type { RouteEntry } from '../store/route-table.ts';

/** The fields of `options:<key>`, `headers:<key>`, `weights:<key>`, `healthcheck:<key>` or `errors:<key>`. */
export type RouteFields = Readonly<Record<string, string | number | boolean>>;

/**
 * Routes as in a routes file: from a host, a wildcard or a host with a path to a list of an identifier and backend URLs, and
 * from `options:<key>` and its like to fields.
 */
export type RouteTexts = Readonly<Record<string, readonly string[] | RouteFields>>;

/** The routes of a router that has them in memory. */
export interface Routes {
  /** All of them, as in a routes file. */
  all(): RouteTexts;
  /**
   * Adds or replaces the value of a key. The next request sees it. Many changes in one turn of the event loop cost as much as
   * one, which takes a time proportional to the number of all routes.
   * @throws Error as a routes file is refused; then nothing changes
   */
  set(key: string, value: readonly string[] | RouteFields): void;
  /** Removes a key. @returns whether it existed */
  remove(key: string): boolean;
}

/** What RouteSet reports. */
export interface RouteSetParts {
  /** Those of the router, for warnings. */
  readonly features: readonly SiteFeature[] | undefined;
  /** Called once after changes, before anything else that the event loop does. */
  readonly onChange: (image: Uint8Array) => void;
  /** Called for what cannot be used of a value: a URL, an option. */
  readonly onWarning: (key: string, fault: string) => void;
}

/** Routes in memory, checked and encoded as those of a routes file. */
export class RouteSet implements Routes {
  readonly #parts: RouteSetParts;
  /** As they were given. A Map: `__proto__` is a host like any other. */
  readonly #values = new Map<string, readonly string[] | RouteFields>();
  readonly #entries = new Map<string, readonly string[]>();
  #isChanged = false;

  /** @throws Error with every fault of the routes */
  constructor(routes: RouteTexts, parts: RouteSetParts) {
    this.#parts = parts;
    this.#add(Object.entries(routes));
  }

  all(): RouteTexts {
    return Object.fromEntries(this.#values);
  }

  set(key: string, value: readonly string[] | RouteFields): void {
    this.#add([[key, value]]);
    this.#change();
  }

  remove(key: string): boolean {
    this.#entries.delete(key);
    const existed = this.#values.delete(key);
    if (existed) this.#change();
    return existed;
  }

  /** See routes-image.ts. */
  get image(): Uint8Array {
    return encodeRoutes(this.#entries);
  }

  /** As a routes file. */
  get text(): string {
    return JSON.stringify(this.all());
  }

  #add(given: readonly (readonly [key: string, value: readonly string[] | RouteFields])[]): void {
    // A copy: what the caller does with its own objects later has no effect.
    const text = JSON.stringify(Object.fromEntries(given));
    const { entries, hashes, faults, warnings } = parseRoutes(text, this.#parts.features);
    if (faults.length > 0) throw new Error(`routes: ${faults.join('; ')}`);
    for (const [key, value] of Object.entries(JSON.parse(text) as RouteTexts)) this.#values.set(key, value);
    for (const [key, list] of [...entries, ...hashes] satisfies RouteEntry[]) this.#entries.set(key, list);
    for (const { key, fault } of warnings) this.#parts.onWarning(key, fault);
  }

  #change(): void {
    if (this.#isChanged) return;
    this.#isChanged = true;
    queueMicrotask(() => {
      this.#isChanged = false;
      this.#parts.onChange(this.image);
    });
  }
}
