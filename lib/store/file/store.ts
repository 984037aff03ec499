import { RouterError } from '../../core/errors.ts';
import { NO_MARKS } from '../../core/routing/backend.ts';
import { candidates } from '../../core/routing/hostname.ts';
import type { Death, Route } from '../../core/routing/types.ts';
import type { SiteSettings } from '../../sites/site.ts';
import { type AskedMark, AskedMarks } from './asked-marks.ts';
import { type DeadMark, markOf } from '../dead-marks.ts';
import { FileCertificates } from './certificates.ts';
import { FileChecks } from './checks.ts';
import { ImageLists } from './image-lists.ts';
import type { Lists } from '../lists.ts';
import { Joiner, type Piece } from './pieces.ts';
import { RouteTable } from '../route-table.ts';
import { RoutesImage } from './routes-image.ts';
import { type AskedShares, FileShares } from './shares.ts';
import { FileTrials, type FileTrialsParts } from './trials.ts';
import type { Marking, Recollection, RouteStore } from '../store.ts';
import { Turn } from '../turn.ts';

const NOTHING: Lists = {
  get: () => undefined,
  prefixes: () => undefined,
  site: () => undefined,
  pages: () => undefined,
};

/** How a FileStore communicates with the master. No function may throw. */
export interface FileStoreMaster extends FileTrialsParts {
  /** Requests the next piece of the routes: it arrives at once, or when the file has changed. */
  readonly wantPiece: () => void;
  /** Requests the next piece of the certificates. */
  readonly wantCertificates: () => void;
  /** Asks the master to mark a backend dead; the reply comes by `bury` or `spare`. */
  readonly askToMark: (asked: AskedMark) => void;
  /** Asks the master to remove a mark; the reply comes by `revive`. */
  readonly askToUnmark: (mark: DeadMark) => void;
  /** Has the master tell all workers which URLs of a list have passed a check; it comes by `setChecked`. */
  readonly sayChecked: (key: string, urls: readonly string[] | null) => void;
  /** Asks the master for shares; the reply comes by `shares.answered`. */
  readonly askForShares: (asked: AskedShares) => void;
}

/** What a FileStore is made of. */
export interface FileStoreParts extends FileStoreMaster, SiteSettings {
  /** Whether a backend is on trial after its mark. */
  readonly hasTrials: boolean;
  /** Whether a worker of this router makes active checks; yes, if missing. */
  readonly hasChecks?: boolean;
}

/**
 * A worker's side of the file driver: the routes and dead marks that the master has sent. The master reads the file
 * (see routes-file.ts), for which workers may lack the permission, and passes dead marks on to all workers.
 */
export class FileStore implements RouteStore {
  readonly hasHealthChecker = false;
  readonly trials: FileTrials;
  readonly certificates: FileCertificates;
  readonly checks: FileChecks;
  readonly shares: FileShares;
  readonly #parts: FileStoreParts;
  readonly #table: RouteTable;
  readonly #joiner = new Joiner();
  readonly #asked = new AskedMarks();
  readonly #filled = new Turn();
  #image: RoutesImage | null = null;
  #imageBytes = 0;
  #isFilled = false;
  #filledAt = 0;
  #isClosed = false;

  /** Requests its first piece at once. */
  constructor(parts: FileStoreParts) {
    this.#parts = parts;
    this.#table = new RouteTable(NOTHING, Date.now, parts);
    this.trials = new FileTrials(parts);
    this.certificates = new FileCertificates(parts.wantCertificates);
    this.checks = new FileChecks({
      image: () => this.#image,
      marks: (frontend) => this.#table.marks(frontend),
      mark: (asked) => this.#asked.ask(asked, parts.askToMark),
      unmark: parts.askToUnmark,
      checked: () => this.#table.checked,
      setChecked: (key, urls) => {
        // At once: several results may come before the master has replied.
        this.#table.setChecked(key, urls);
        parts.sayChecked(key, urls);
      },
      now: Date.now,
    });
    this.shares = new FileShares(parts.askForShares);
    parts.wantPiece();
  }

  /**
   * Takes a piece of the image, and requests the next. With the last piece all routes change in one step, so that a
   * lookup never sees a mixture. A dead mark is kept only where the same URL is at the same position of its list.
   */
  take(piece: Piece): void {
    if (this.#isClosed) return;
    const image = this.#joiner.add(piece);
    if (image !== null) {
      this.#image = new RoutesImage(image);
      this.#table.replace(new ImageLists(this.#image));
      this.#imageBytes = image.byteLength;
      this.#isFilled = true;
      this.#filledAt = performance.now();
      this.#filled.end();
    }
    this.#parts.wantPiece();
  }

  get remembered(): { readonly hosts: number; readonly bytes: number } {
    return { hosts: 0, bytes: this.#imageBytes + this.certificates.bytes };
  }

  /** The master has marked a backend dead, for this worker or another. Idempotent. */
  bury(mark: DeadMark): void {
    this.#table.bury(mark);
    this.#asked.answered(mark, 'marked');
  }

  /** The master has removed a mark. */
  revive(mark: DeadMark): void {
    this.#table.revive(mark);
  }

  /** Which URLs of a list have passed a check, as the worker that makes the checks has found. Null: no backend waits for that. */
  setChecked(key: string, urls: readonly string[] | null): void {
    this.#table.setChecked(key, urls);
  }

  /** The backend that this worker found dead is the last living one of its site. */
  spare(mark: DeadMark): void {
    this.#asked.answered(mark, 'last');
  }

  async find(keys: readonly string[], path: string): Promise<Route | null> {
    if (this.#isClosed) throw new RouterError('store-unavailable', 'the store is closed');
    if (!this.#isFilled) throw new RouterError('store-unavailable', 'the routes have not been received yet');
    return this.#table.find(keys, path);
  }

  peek(host: string, path: string): Route | null | undefined {
    if (!this.#isFilled || this.#isClosed) return undefined;
    return this.#table.own(host) ?? this.#table.find(candidates(host), path);
  }

  async page(keys: readonly string[], status: number): Promise<string | null> {
    return this.#table.page(keys, status);
  }

  recollect(host: string, path: string): Recollection | null {
    const route = this.peek(host, path);
    if (route === undefined) return null;
    return { route, isFresh: true, ageMs: performance.now() - this.#filledAt };
  }

  /** All routes are in memory. */
  readonly hasLastKnown = true;

  forget(): number {
    return 0;
  }

  ownMarks(frontend: string | null): readonly DeadMark[] {
    return this.#table.marks(frontend);
  }

  /** The master decides, because it has the marks of all workers. Rejects when it does not reply. */
  markDead(death: Death, ttlSeconds: number): Promise<Marking> {
    const { key, frontend, backends, onTrial } = death.route;
    // A backend that fails its checks under a wildcard is none that lives.
    const down = frontend === key ? NO_MARKS.dead : this.#table.markedAmong(backends, key);
    const entries = backends.filter(({ id }) => !down.has(id)).map(({ id, href }) => ({ id, href }));
    // In a list with active checks, these decide when the backend lives again.
    const { hasTrials, hasChecks = true } = this.#parts;
    const hasTrial = hasTrials && !(hasChecks && this.checks.hasChecks(key));
    const trial = hasTrial ? { isAgain: onTrial.has(death.backend.id), ttlMs: ttlSeconds * 1000 } : null;
    return this.#asked.ask({ mark: markOf(death, ttlSeconds, Date.now()), entries, trial }, this.#parts.askToMark);
  }

  /** Resolves when all routes have arrived for the first time. The master has them before it starts workers. */
  ready(): Promise<void> {
    return this.#filled.promise;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#filled.end();
  }
}
