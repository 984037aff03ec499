import { RouterError } from '../../core/errors.ts';
import type { DeadMark, Entry } from '../dead-marks.ts';
import type { Marking } from '../store.ts';

/** A mark, and what the master needs to decide about it. Plain data: it travels between processes. */
export interface AskedMark {
  readonly mark: DeadMark;
  /** The entries of the list that can be used. */
  readonly entries: readonly Entry[];
}

/** The master answers at once; one that is about to end may not, ms. */
const ANSWER_MS = 5_000;

interface Asked {
  readonly promise: Promise<Marking>;
  readonly answer: (marking: Marking) => void;
}

/** Marks that this worker has asked the master for, until it answers. One for each backend of each frontend. */
export class AskedMarks {
  readonly #asked = new Map<string, Asked>();

  /** Asks by `send`, unless the same mark is being asked for. Rejects with `store-unavailable` when no answer comes. */
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
      settle?.reject(new RouterError('store-unavailable', 'the master process does not answer'));
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

  /** What the master says of a mark; one that was not asked for is no fault. */
  answered(mark: DeadMark, marking: Marking): void {
    this.#asked.get(nameOf(mark))?.answer(marking);
  }
}

function nameOf({ frontend, id }: DeadMark): string {
  return `${id} ${frontend}`;
}
