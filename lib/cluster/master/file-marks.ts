import type { Worker } from 'node:cluster';
import type { ToWorker } from '../messages.ts';
import type { AskedMark } from '../../store/file/asked-marks.ts';
import { DeadMarks } from '../../store/dead-marks.ts';
import { send } from './worker-slot.ts';

/** Dead marks of all workers where routes come from a file. With Redis, marks are in Redis. */
export class FileMarks {
  readonly #tellAll: (message: ToWorker) => void;
  readonly #marks = new DeadMarks(Date.now);
  /** Workers that were sent the marks that there were when they started. */
  readonly #informed = new WeakSet<Worker>();

  /** @param tellAll sends a message to every worker */
  constructor(tellAll: (message: ToWorker) => void) {
    this.#tellAll = tellAll;
  }

  /** Marks a backend dead for all workers, unless no other backend of its site lives. @param worker who asked */
  add({ mark, entries }: AskedMark, worker: Worker): void {
    if (this.#marks.addUnlessLast(mark, entries, () => false)) this.#tellAll({ type: 'dead', mark });
    else send(worker, { type: 'last-living', mark });
  }

  /** A worker that has just started has no marks: it is sent all, once. */
  sendAll(worker: Worker): void {
    if (this.#informed.has(worker)) return;
    this.#informed.add(worker);
    for (const mark of this.#marks.list(null)) send(worker, { type: 'dead', mark });
  }
}
