import { watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readAside } from './reading-thread.ts';
import { readSmall, signatureOf, type BadReading, type GoodReading, type Reading } from './routes-reading.ts';
import type { Notify } from '../store.ts';

/** Settings and callbacks of a RoutesFile. */
export interface RoutesFileOptions {
  readonly notify: Notify;
  /** Called with the new routes, as an image (see routes-image.ts), after the file has changed. */
  readonly onChange: (image: Uint8Array) => void;
  /** Between two checks of the file, ms, for changes without events (network drives, links). Default 2,000. */
  readonly pollMs?: number;
  /** Options of features that are not in FEATURES: their texts are not checked here. */
  readonly otherOptions?: readonly string[];
}

/** Editors and copies cause bursts of events, which lead to one check. */
const DEBOUNCE_MS = 30;
/** A broken file may still be being written: it is read this often, this far apart, before it is refused. */
const LOOKS = 4;
const BETWEEN_LOOKS_MS = 75;

/**
 * The master's side of the file driver: has the routes file read, watches it, and keeps the last good routes. The event
 * loop is not blocked, however large the file is.
 */
export class RoutesFile {
  readonly #path: string;
  readonly #options: RoutesFileOptions;
  readonly #closing = new AbortController();
  #watcher: FSWatcher | null = null;
  #poll: NodeJS.Timeout | undefined;
  #debounce: NodeJS.Timeout | undefined;
  /** Whether an event since the last check named the file itself. */
  #isOurs = false;
  #look: Promise<void> | null = null;
  #lookAgain = false;
  #signature = '';
  #good: GoodReading | null = null;
  /**
   * The last reported fault: the digest of the broken file, or why it could not be read. Null when the last check was
   * good.
   */
  #refused: string | null = null;

  /** Does nothing before `open`. */
  constructor(path: string, options: RoutesFileOptions) {
    this.#path = path;
    this.#options = options;
  }

  /**
   * Reads the file and starts to watch it.
   * @returns the routes, as an image
   * @throws Error that names every fault when the file is missing, unreadable or broken; also when it is closed first
   */
  async open(): Promise<Uint8Array> {
    this.#signature = await signatureOf(this.#path);
    const small = await readSmall(this.#path, this.#options.otherOptions ?? []);
    const reading = small === null || this.#closing.signal.aborted ? await this.#read() : small;
    if (reading.type === 'bad') throw new Error(`routes file ${this.#path}: ${reading.fault}`);
    this.#good = reading;
    this.#announce(reading);
    this.#watch();
    this.#poll = setInterval(() => void this.#glance(), this.#options.pollMs ?? 2000);
    return reading.image;
  }

  /** Stops reading and watching. `onChange` and `notify` are not called any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#watcher?.close();
    clearInterval(this.#poll);
    clearTimeout(this.#debounce);
    await this.#look;
  }

  #watch(): void {
    // The directory is watched, not the file: editors rename a new file over the old one, and Kubernetes swaps a link
    // beside it.
    const name = basename(this.#path);
    try {
      this.#watcher = watch(dirname(this.#path), (_event, changed) => {
        // An event for another file may concern this one through a link: then the signature decides.
        this.#isOurs ||= changed === null || changed === name;
        this.#debounce ??= setTimeout(() => this.#settle(), DEBOUNCE_MS);
      });
      // Without events (no inotify watches left, the directory removed) polling is enough.
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

  /** Reads the file if it seems to have changed. */
  async #glance(): Promise<void> {
    if ((await signatureOf(this.#path)) !== this.#signature) await this.#lookSoon();
  }

  /** Checks one at a time; changes during a check cause one more. */
  async #lookSoon(): Promise<void> {
    this.#lookAgain = true;
    if (this.#look !== null) return;
    this.#look = (async () => {
      while (this.#lookAgain && !this.#closing.signal.aborted) {
        this.#lookAgain = false;
        await this.#reload();
      }
    })();
    try {
      await this.#look;
    } finally {
      this.#look = null;
    }
  }

  async #reload(): Promise<void> {
    const { signal } = this.#closing;
    for (let look = 1; ; look++) {
      // Taken before reading: the next check sees a change during the read.
      this.#signature = await signatureOf(this.#path);
      const reading = await this.#read();
      if (signal.aborted) return;
      if (reading.type === 'good') return this.#accept(reading);
      if (look === LOOKS) return this.#refuse(reading);
      await delay(BETWEEN_LOOKS_MS, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
    }
  }

  #read(): Promise<Reading> {
    return readAside(this.#path, this.#good, this.#closing.signal, this.#options.otherOptions);
  }

  #accept(reading: GoodReading): void {
    const isSame = reading === this.#good;
    if (isSame && this.#refused === null) return;
    this.#refused = null;
    this.#good = reading;
    this.#announce(reading);
    if (!isSame) this.#options.onChange(reading.image);
  }

  #refuse({ digest, fault }: BadReading): void {
    const broken = digest ?? fault;
    if (broken === this.#refused) return;
    this.#refused = broken;
    this.#options.notify({
      type: 'routes-refused',
      file: this.#path,
      fault: `${fault} (the last good routes are kept)`,
    });
  }

  #announce({ frontends, warnings, moreWarnings }: GoodReading): void {
    const { notify } = this.#options;
    notify({ type: 'routes-loaded', file: this.#path, frontends });
    for (const { key, fault } of warnings) notify({ type: 'route-fault', key, fault });
    if (moreWarnings > 0) notify({ type: 'route-fault', key: this.#path, fault: `and ${moreWarnings} more warnings` });
  }
}
