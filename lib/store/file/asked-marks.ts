import { RouterError } from '../../core/errors.ts';
import type { DeadMark, Entry } from '../dead-marks.ts';
import type { Marking } from '../store.ts';

/** A mark, with what the master needs to decide about it. Plain data: it is sent between processes. */
export interface AskedMark {
  readonly mark: DeadMark;
  /** The usable backends of the list. */
  readonly entries: readonly Entry[];
}

/** How long the master may take, ms. It replies at once, unless it is about to exit. */
const ANSWER_MS = 5_000;

interface Asked {
  readonly promise: Promise<Marking>;
  readonly answer: (marking: Marking) => void;
}

/** Marks that this worker has asked the master for. One per backend and frontend. */
export class AskedMarks {
  readonly #asked = new Map<string, Asked>();

  /**
   * Asks by `send`, unless the same mark is already being asked for. Rejects with `store-unavailable` without a reply.
   */
  ask(asked: AskedMark, send: (asked: AskedMark) => void): Promise<Marking> {
    const name = nameOf(asked.mark);
    const known = this.#asked.get(name);
    if (known !== undefined) return known.promise;
    let settle: { resolve: (marking: Marking) => void; reject: (error: RouterError) => void } | undefined;
    const promise = new Promise<Marking>((resolve, reject) => {
      settle = { resolve, reject };
    });
    const timer = setTimeout(() => {
      this.#asked.delete(name);
      settle?.reject(new RouterError('store-unavailable', 'the master process does not reply'));
    }, ANSWER_MS).unref();
    const answer = (marking: Marking): void => {
      clearTimeout(timer);
      this.#asked.delete(name);
      settle?.resolve(marking);
    };
    this.#asked.set(name, { promise, answer });
    send(asked);
    return promise;
  }

  /** The master's reply. Does nothing for a mark that was not asked for. */
  answered(mark: DeadMark, marking: Marking): void {
    this.#asked.get(nameOf(mark))?.answer(marking);
  }
}

function nameOf({ frontend, id }: DeadMark): string {
  return `${id} ${frontend}`;
}
