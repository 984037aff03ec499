import { watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RouteEntry } from './route-table.ts';
import { inWords, readRoutes, signatureOf, type Reading } from './routes-reading.ts';
import type { Notify } from './store.ts';

/** What the owner of a RoutesFile gives it. */
export interface RoutesFileOptions {
  readonly notify: Notify;
  /** The file has changed for good: these are the routes now. */
  readonly onChange: (routes: readonly RouteEntry[]) => void;
  /** Between two looks at the file, for changes that no event told of (network drives, links). Default 2,000. */
  readonly pollMs?: number;
}

/** Editors and copies cause bursts of events; one look after them is enough. */
const DEBOUNCE_MS = 30;
/** A broken file may be one that is still being written: it is read this often, this far apart, before it is refused. */
const LOOKS = 4;
const BETWEEN_LOOKS_MS = 75;
/** Warnings told one by one after a load; a file that has more gets a last line that says how many. */
const MAX_WARNINGS = 100;

/** The master's half of the file driver: reads the routes file, watches it, and keeps the last good routes. */
export class RoutesFile {
  readonly #path: string;
  readonly #options: RoutesFileOptions;
  readonly #closing = new AbortController();
  #watcher: FSWatcher | null = null;
  #poll: NodeJS.Timeout | undefined;
  #debounce: NodeJS.Timeout | undefined;
  /** Whether an event since the last look named the file itself. */
  #isOurs = false;
  #look: Promise<void> | null = null;
  #lookAgain = false;
  #signature: string;
  #good: Reading;
  /** What was last reported as broken: its text, or why it could not be read. Null when the last look was good. */
  #refused: string | null = null;

  /**
   * Reads the file and begins to watch it.
   * @throws Error that names every fault when the file is missing, unreadable or broken
   */
  static async open(path: string, options: RoutesFileOptions): Promise<RoutesFile> {
    const signature = await signatureOf(path);
    const reading = await readRoutes(path);
    if (reading.faults.length > 0) throw new Error(`routes file ${path}: ${inWords(reading.faults)}`);
    return new RoutesFile(path, options, signature, reading);
  }

  private constructor(path: string, options: RoutesFileOptions, signature: string, reading: Reading) {
    this.#path = path;
    this.#options = options;
    this.#signature = signature;
    this.#good = reading;
    this.#announce();
    this.#watch();
    this.#poll = setInterval(() => void this.#glance(), options.pollMs ?? 2000);
  }

  /** The last good routes. */
  get routes(): readonly RouteEntry[] {
    return this.#good.entries;
  }

  /** Stops watching. `onChange` and `notify` are not called any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#watcher?.close();
    clearInterval(this.#poll);
    clearTimeout(this.#debounce);
    await this.#look;
  }

  #watch(): void {
    // The directory, not the file: editors rename a new file over the old one, and Kubernetes swaps a link beside it.
    const name = basename(this.#path);
    try {
      this.#watcher = watch(dirname(this.#path), (_event, changed) => {
        // An event for another file may still mean ours, through a link: then the signature tells.
        this.#isOurs ||= changed === null || changed === name;
        this.#debounce ??= setTimeout(() => this.#settle(), DEBOUNCE_MS);
      });
      // Without events (no inotify watches left, the directory gone) the poll is enough.
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      this.#watcher = null;
    }
  }

  #settle(): void {
    this.#debounce = undefined;
    void (this.#isOurs ? this.#lookSoon() : this.#glance());
    this.#isOurs = false;
  }

  /** Looks closer if the file seems to have changed. */
  async #glance(): Promise<void> {
    if ((await signatureOf(this.#path)) !== this.#signature) await this.#lookSoon();
  }

  /** One look at a time; what happens during a look makes for one more. */
  async #lookSoon(): Promise<void> {
    this.#lookAgain = true;
    if (this.#look !== null) return;
    this.#look = (async () => {
      while (this.#lookAgain && !this.#closing.signal.aborted) {
        this.#lookAgain = false;
        await this.#reload();
      }
    })();
    await this.#look;
    this.#look = null;
  }

  async #reload(): Promise<void> {
    const { signal } = this.#closing;
    for (let look = 1; ; look++) {
      // Taken before reading: a change during the read is seen by the next glance.
      this.#signature = await signatureOf(this.#path);
      const reading = await readRoutes(this.#path, this.#good);
      if (signal.aborted) return;
      if (reading.faults.length === 0) return this.#accept(reading);
      if (look === LOOKS) return this.#refuse(reading);
      await delay(BETWEEN_LOOKS_MS, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
    }
  }

  #accept(reading: Reading): void {
    const isSame = reading.text === this.#good.text;
    if (isSame && this.#refused === null) return;
    this.#refused = null;
    this.#good = reading;
    this.#announce();
    if (!isSame) this.#options.onChange(reading.entries);
  }

  #refuse(reading: Reading): void {
    const fault = inWords(reading.faults);
    const broken = reading.text ?? fault;
    if (broken === this.#refused) return;
    this.#refused = broken;
    this.#options.notify({ type: 'routes-refused', file: this.#path, fault: `${fault} (the last good routes stay)` });
  }

  #announce(): void {
    const { entries, warnings } = this.#good;
    this.#options.notify({ type: 'routes-loaded', file: this.#path, frontends: entries.length });
    for (const { key, fault } of warnings.slice(0, MAX_WARNINGS)) {
      this.#options.notify({ type: 'route-fault', key, fault });
    }
    const more = warnings.length - MAX_WARNINGS;
    if (more > 0) this.#options.notify({ type: 'route-fault', key: this.#path, fault: `and ${more} more like these` });
  }
}
