import { type FSWatcher, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { readCertificatesIn, signatureOfFolder } from './certificates-reading.ts';
import { encodeCertificates } from './certificates.ts';

/** The two files of a pair are written one after the other: a check so much later, ms, sees both. */
const DEBOUNCE_MS = 100;
/** Between two checks, ms, for changes without events. */
const POLL_MS = 2_000;

/** The certificates folder of a routes file. */
export function certificatesFolderOf(routesPath: string): string {
  return join(dirname(routesPath), 'tls');
}

/**
 * The master's side of the certificates beside a routes file: reads them, with its permissions, and watches the folder,
 * which may be created later. Faults are reported by the worker that wants to use a certificate.
 */
export class CertificatesFolder {
  readonly #folder: string;
  readonly #onChange: (image: Uint8Array) => void;
  #signature = '';
  #watcher: FSWatcher | null = null;
  #poll: NodeJS.Timeout | undefined;
  #debounce: NodeJS.Timeout | undefined;
  #looking: Promise<void> | null = null;
  #lookAgain = false;
  #isClosed = false;

  /** @param onChange called with all certificates when one has changed; see `encodeCertificates` */
  constructor(folder: string, onChange: (image: Uint8Array) => void) {
    this.#folder = folder;
    this.#onChange = onChange;
  }

  /** Reads them and starts to watch. A missing folder counts as empty. Never rejects. */
  async open(): Promise<Uint8Array> {
    // Taken before reading: the next check sees a change during the read.
    this.#signature = await signatureOfFolder(this.#folder);
    const image = encodeCertificates(await readCertificatesIn(this.#folder));
    if (this.#isClosed) return image;
    this.#watch();
    this.#poll = setInterval(() => {
      if (this.#watcher === null) this.#watch();
      void this.#look();
    }, POLL_MS);
    return image;
  }

  /** Stops watching. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watcher?.close();
    clearInterval(this.#poll);
    clearTimeout(this.#debounce);
    await this.#looking;
  }

  #watch(): void {
    try {
      this.#watcher = watch(this.#folder, () => {
        this.#debounce ??= setTimeout(() => {
          this.#debounce = undefined;
          void this.#look();
        }, DEBOUNCE_MS);
      });
      this.#watcher.on('error', () => this.#unwatch());
    } catch {
      this.#watcher = null;
    }
  }

  /** Polling goes on without events, and watches again. */
  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }

  /** Checks one at a time; changes during a check cause one more. */
  async #look(): Promise<void> {
    this.#lookAgain = true;
    if (this.#looking !== null) return;
    this.#looking = (async () => {
      while (this.#lookAgain && !this.#isClosed) {
        this.#lookAgain = false;
        await this.#compare();
      }
    })();
    await this.#looking;
    this.#looking = null;
  }

  async #compare(): Promise<void> {
    const signature = await signatureOfFolder(this.#folder);
    if (signature === this.#signature || this.#isClosed) return;
    this.#signature = signature;
    this.#onChange(encodeCertificates(await readCertificatesIn(this.#folder)));
  }
}
