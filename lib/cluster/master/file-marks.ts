import type { Worker } from 'node:cluster';
import type { ToWorker } from '../messages.ts';
import type { AskedMark } from '../../store/file/asked-marks.ts';
import { type DeadMark, DeadMarks } from '../../store/dead-marks.ts';
import { send } from './worker-slot.ts';

/** The dead marks of all workers when routes come from a file. With Redis, the marks are in Redis. */
export class FileMarks {
  readonly #tellAll: (message: ToWorker) => void;
  readonly #marks = new DeadMarks(Date.now);
  /** Workers that got the marks which existed when they started. */
  readonly #informed = new WeakSet<Worker>();

  /** @param tellAll sends a message to every worker */
  constructor(tellAll: (message: ToWorker) => void) {
    this.#tellAll = tellAll;
  }

  /**
   * Marks a backend dead for all workers, unless it is the last living one of its site. @param worker the worker that
   * asked
   */
  add({ mark, entries }: AskedMark, worker: Worker): void {
    if (this.#marks.addUnlessLast(mark, entries, () => false)) this.#tellAll({ type: 'dead', mark });
    else send(worker, { type: 'last-living', mark });
  }

  /** Removes a mark for all workers: the backend passes its checks. */
  remove(mark: DeadMark): void {
    // Another one may be at its place by now.
    if (!this.#marks.list(mark.frontend).some(({ id, url }) => id === mark.id && url === mark.url)) return;
    this.#marks.remove(mark.frontend, mark.id);
    this.#tellAll({ type: 'alive', mark });
  }

  /** Sends all marks to a worker that has just started. Does nothing at later calls. */
  sendAll(worker: Worker): void {
    if (this.#informed.has(worker)) return;
    this.#informed.add(worker);
    for (const mark of this.#marks.list(null)) send(worker, { type: 'dead', mark });
  }
}
