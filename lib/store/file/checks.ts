import { readList } from '../../core/routing/backend.ts';
import { siteOf } from '../../core/routing/prefixes.ts';
import { checkRulesOf } from '../../sites/healthcheck.ts';
import { type CheckOutcome, type CheckReport, type CheckSource, type CheckTurn, type DueList } from '../checks.ts';
import type { DeadMark } from '../dead-marks.ts';
import { fieldsOf } from '../fields.ts';
import type { Marking } from '../store.ts';
import type { AskedMark } from './asked-marks.ts';
import type { RoutesImage } from './routes-image.ts';

const CHECKS = 'healthcheck:';

/** What the checks of a routes file need. */
export interface FileChecksParts {
  /** The routes; null before the first have come. */
  readonly image: () => RoutesImage | null;
  /** The dead marks of a frontend. */
  readonly marks: (frontend: string) => readonly DeadMark[];
  /** Has the master mark a backend, or renew its mark. Rejects when the master does not reply. */
  readonly mark: (asked: AskedMark) => Promise<Marking>;
  /** Has the master remove a mark. */
  readonly unmark: (mark: DeadMark) => void;
  /** With the rule `first`, the URLs that have passed a check, by key of their list: all workers have them. */
  readonly checked: () => ReadonlyMap<string, ReadonlySet<string>>;
  /** Changes `checked`, for all workers. `urls` null: no backend of the list waits for its first good check. */
  readonly setChecked: (key: string, urls: readonly string[] | null) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A list with checks. */
interface Checked {
  due: number;
  /** Results by URL. */
  readonly results: Map<string, string>;
}

/** Active checks of a routes file, by one worker of the router: the schedule and the results are in its memory. */
export class FileChecks implements CheckSource {
  readonly #parts: FileChecksParts;
  #image: RoutesImage | null = null;
  #lists: ReadonlyMap<string, Checked> = new Map();

  constructor(parts: FileChecksParts) {
    this.#parts = parts;
  }

  async turn(reports: readonly CheckReport[], max: number): Promise<CheckTurn> {
    this.#follow();
    const outcomes = await Promise.all(reports.map((report) => this.#file(report)));
    const due: DueList[] = [];
    const now = this.#parts.now();
    for (const [key, checked] of this.#lists) {
      if (due.length >= max) break;
      if (checked.due > now) continue;
      const list = this.#take(key, checked, now);
      if (list !== null) due.push(list);
    }
    return { outcomes, due, lists: this.#lists.size, isPaused: false, off: null };
  }

  /** Whether the backends of a list are checked. */
  hasChecks(key: string): boolean {
    return this.#parts.image()?.has(CHECKS + key) === true;
  }

  close(): void {
    this.#lists = new Map();
  }

  /** The file may have changed. What is known of lists that stay is kept. */
  #follow(): void {
    const image = this.#parts.image();
    if (image === this.#image) return;
    this.#image = image;
    const keys = image?.get(CHECKS) ?? [];
    const known = this.#lists;
    this.#lists = new Map(keys.map((key) => [key, known.get(key) ?? { due: 0, results: new Map() }]));
    for (const key of this.#parts.checked().keys()) if (!this.#lists.has(key)) this.#parts.setChecked(key, null);
  }

  #take(key: string, checked: Checked, now: number): DueList | null {
    const fields = fieldsOf(this.#image?.get(CHECKS + key) ?? []);
    const list = this.#image?.get(key) ?? [];
    const { intervalMs, first } = checkRulesOf(fields);
    checked.due = now + intervalMs;
    const urls = new Set(list.slice(1).map((url) => url.trim()));
    for (const url of checked.results.keys()) if (!urls.has(url)) checked.results.delete(url);
    this.#forget(key, first ? urls : null);
    const marks = this.#parts.marks(key);
    const dead = marks.map(({ id }) => String(id));
    const flat = marks.flatMap(({ id, url }) => [String(id), url]);
    return list.length < 2 ? null : { key, fields, list, dead, marks: flat, down: [], results: checked.results };
  }

  /** What is known of backends that have left the list: one that comes back is new. @param urls null: without the rule `first` */
  #forget(key: string, urls: ReadonlySet<string> | null): void {
    const passed = this.#parts.checked().get(key);
    if (passed === undefined) return;
    if (urls === null) return this.#parts.setChecked(key, null);
    const left = [...passed].filter((url) => urls.has(url));
    if (left.length < passed.size) this.#parts.setChecked(key, left.length === 0 ? null : left);
  }

  async #file(report: CheckReport): Promise<CheckOutcome> {
    const { key, url, result, isGood, action } = report;
    const checked = this.#lists.get(key);
    if (checked === undefined) return 'gone';
    checked.results.set(url, result);
    const passed = this.#parts.checked().get(key);
    if (isGood && passed?.has(url) !== true) this.#parts.setChecked(key, [...(passed ?? []), url]);
    if (action === 'none') return 'noted';
    const { backends } = readList(this.#image?.get(key) ?? [], () => {});
    const places = backends.filter(({ href }) => href === url);
    const marks = this.#parts.marks(key).filter((mark) => mark.url === url);
    if (places.length === 0) return 'moved';
    if (action === 'clear') {
      for (const mark of marks) this.#parts.unmark(mark);
      return marks.length > 0 ? 'cleared' : 'noted';
    }
    const entries = backends.map(({ id, href }) => ({ id, href }));
    const now = this.#parts.now();
    const { ttlMs, renewMs } = report.life;
    let outcome: CheckOutcome = 'kept';
    for (const { id } of places) {
      const until = marks.find((mark) => mark.id === id)?.until ?? 0;
      if (until - now >= renewMs || (action === 'renew' && until <= now)) continue;
      const mark = { frontend: key, site: siteOf(key), id, url, until: now + ttlMs, trial: null };
      // One after the other: the first may make the next the last living one.
      const marking = await this.#parts.mark({ mark, entries, trial: null }).catch(() => null);
      if (marking === null) return 'failed';
      if (marking === 'last') return 'last';
      if (until <= now) outcome = 'marked';
    }
    return outcome;
  }
}
