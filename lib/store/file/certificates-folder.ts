import { type FSWatcher, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { readCertificatesIn, signatureOfFolder } from './certificates-reading.ts';
import { encodeCertificates } from './certificates.ts';

/** Both files of a pair are written one after the other: a look this long after the first sees both. */
const DEBOUNCE_MS = 100;
/** Between two looks, for changes that no event told of. */
const POLL_MS = 2_000;

/** Where a routes file has its certificates. */
export function certificatesFolderOf(routesPath: string): string {
  return join(dirname(routesPath), 'tls');
}

/**
 * The master's half of the certificates beside a routes file: reads them, as a user who may, and watches the folder,
 * which may come later. What is wrong with one is told by whoever wants to use it.
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

  /** @param onChange told all certificates when one has changed; see `encodeCertificates` */
  constructor(folder: string, onChange: (image: Uint8Array) => void) {
    this.#folder = folder;
    this.#onChange = onChange;
  }

  /** Reads them and begins to watch. A folder that does not exist is an empty one. Never rejects. */
  async open(): Promise<Uint8Array> {
    // Taken before reading: a change during the read is seen by the next look.
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

  /** Without events the poll is enough; it watches again. */
  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }

  /** One look at a time; what happens during a look makes for one more. */
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
