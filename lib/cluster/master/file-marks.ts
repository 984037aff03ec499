import { type AskedMark, markAfter } from '../../store/file/asked-marks.ts';
import type { AskedTrialRight, TrialName } from '../../store/file/trials.ts';
import { type DeadMark, DeadMarks } from '../../store/dead-marks.ts';
import type { ToWorker } from '../messages.ts';

/** After how many ms a worker may ask again for a trial that does not exist. */
const NO_TRIAL_MS = 1_000;

/** How FileMarks sends messages. No function may throw. */
export interface FileMarksParts<Worker> {
  readonly tellAll: (message: ToWorker) => void;
  readonly tell: (worker: Worker, message: ToWorker) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The right to the trial of a backend. */
interface Right<Worker> {
  readonly worker: Worker;
  readonly until: number;
}

/**
 * What workers share about backends when routes come from a file: dead marks, rights to trials, and which backends have
 * passed their first check. With Redis, all that is in Redis. It outlasts reloads, and ends with this process.
 */
export class FileMarks<Worker extends object> {
  readonly #parts: FileMarksParts<Worker>;
  readonly #marks: DeadMarks;
  /** By the mark after which the trial is. */
  readonly #rights = new WeakMap<DeadMark, Right<Worker>>();
  /** By key of a list, the URLs that have passed a check. The worker that makes the checks removes lists that are gone. */
  readonly #checked = new Map<string, readonly string[]>();
  /** Workers that got the marks which existed when they started. */
  readonly #informed = new WeakSet<Worker>();

  constructor(parts: FileMarksParts<Worker>) {
    this.#parts = parts;
    this.#marks = new DeadMarks(parts.now);
  }

  /**
   * Marks a backend dead for all workers, unless it is the last living one of its site. @param worker the worker that
   * asked
   */
  add(asked: AskedMark, worker: Worker): void {
    const { tell, tellAll, now } = this.#parts;
    const { frontend, url } = asked.mark;
    const mark = markAfter(asked, this.#lastOf({ frontend, url }), now());
    if (this.#marks.addUnlessLast(mark, asked.entries, () => false)) tellAll({ type: 'dead', mark });
    else tell(worker, { type: 'last-living', mark });
  }

  /** Removes a mark for all workers: the backend passes its checks. */
  remove(mark: DeadMark): void {
    // Another one may be at its place by now.
    if (!this.#marks.list(mark.frontend).some(({ id, url }) => id === mark.id && url === mark.url)) return;
    this.#marks.remove(mark.frontend, mark.id);
    this.#parts.tellAll({ type: 'alive', mark });
  }

  /** Gives a worker the right to the next trial of a backend, or extends it, unless another worker has it. Always replies. */
  give({ frontend, url, ms }: AskedTrialRight, worker: Worker): void {
    this.#parts.tell(worker, {
      type: 'trial-reply',
      name: { frontend, url },
      waitMs: this.#take(frontend, url, ms, worker),
    });
  }

  /** A backend on trial has responded: it lives again, for all workers. */
  passed({ frontend, url }: TrialName): void {
    for (const mark of this.#marks.list(frontend)) if (mark.url === url && mark.trial !== null) this.remove(mark);
  }

  /** Which URLs of a list have passed a check, for all workers. Null: no backend waits for that. */
  setChecked(key: string, urls: readonly string[] | null): void {
    if (urls === null) this.#checked.delete(key);
    else this.#checked.set(key, urls);
    this.#parts.tellAll({ type: 'checked', key, urls });
  }

  /** Sends all of this to a worker that has just started. Does nothing at later calls. */
  sendAll(worker: Worker): void {
    if (this.#informed.has(worker)) return;
    this.#informed.add(worker);
    for (const mark of this.#marks.list(null)) this.#parts.tell(worker, { type: 'dead', mark });
    for (const [key, urls] of this.#checked) this.#parts.tell(worker, { type: 'checked', key, urls });
  }

  /** @returns 0 when the worker has the right; else after how many ms to ask again */
  #take(frontend: string, url: string, ms: number, worker: Worker): number {
    const now = this.#parts.now();
    const mark = this.#lastOf({ frontend, url });
    if (mark === null) return NO_TRIAL_MS;
    if (mark.until > now) return mark.until - now;
    const right = this.#rights.get(mark);
    if (right !== undefined && right.worker !== worker && right.until > now) return right.until - now;
    this.#rights.set(mark, { worker, until: now + ms });
    return 0;
  }

  /** The URL's mark with the latest trial: a URL may be at several positions of its list. */
  #lastOf({ frontend, url }: TrialName): DeadMark | null {
    let last: DeadMark | null = null;
    for (const mark of this.#marks.list(frontend)) {
      if (mark.url === url && mark.trial !== null && mark.until > (last?.until ?? -Infinity)) last = mark;
    }
    return last;
  }
}
