import { watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readAside } from './reading-thread.ts';
import { signatureOf, type BadReading, type GoodReading, type Reading } from './routes-reading.ts';
import type { Notify } from '../store.ts';

/** What the owner of a RoutesFile gives it. */
export interface RoutesFileOptions {
  readonly notify: Notify;
  /** The file has changed for good: these are the routes now, as an image (see routes-image.ts). */
  readonly onChange: (image: Uint8Array) => void;
  /** Between two looks at the file, for changes that no event told of (network drives, links). Default 2,000. */
  readonly pollMs?: number;
}

/** Editors and copies cause bursts of events; one look after them is enough. */
const DEBOUNCE_MS = 30;
/** A broken file may be one that is still being written: it is read this often, this far apart, before it is refused. */
const LOOKS = 4;
const BETWEEN_LOOKS_MS = 75;

/**
 * The master's half of the file driver: has the routes file read, watches it, and keeps the last good routes. However
 * large the file is, the event loop is never busy with it for long.
 */
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
  #signature = '';
  #good: GoodReading | null = null;
  /** What was last reported as broken: its digest, or why it could not be read. Null when the last look was good. */
  #refused: string | null = null;

  /** Nothing happens before `open`. */
  constructor(path: string, options: RoutesFileOptions) {
    this.#path = path;
    this.#options = options;
  }

  /**
   * Reads the file and begins to watch it.
   * @returns the routes, as an image
   * @throws Error that names every fault when the file is missing, unreadable or broken; also when it is closed first
   */
  async open(): Promise<Uint8Array> {
    this.#signature = await signatureOf(this.#path);
    const reading = await this.#read();
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
    try {
      await this.#look;
    } finally {
      this.#look = null;
    }
  }

  async #reload(): Promise<void> {
    const { signal } = this.#closing;
    for (let look = 1; ; look++) {
      // Taken before reading: a change during the read is seen by the next glance.
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
    return readAside(this.#path, this.#good, this.#closing.signal);
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
    this.#options.notify({ type: 'routes-refused', file: this.#path, fault: `${fault} (the last good routes stay)` });
  }

  #announce({ frontends, warnings, moreWarnings }: GoodReading): void {
    const { notify } = this.#options;
    notify({ type: 'routes-loaded', file: this.#path, frontends });
    for (const { key, fault } of warnings) notify({ type: 'route-fault', key, fault });
    if (moreWarnings > 0)
      notify({ type: 'route-fault', key: this.#path, fault: `and ${moreWarnings} more like these` });
  }
}
