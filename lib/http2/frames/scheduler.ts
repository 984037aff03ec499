import type { Priority } from './priority.ts';

/** A stream with something to send. */
export interface Scheduled {
  readonly id: number;
  priority: Priority;
}

/** The streams of one urgency. */
class Level<Stream extends Scheduled> {
  /** Those whose response is of use when it is whole: one after the other, lowest id first. */
  readonly whole: Stream[] = [];
  /** Those that are sent in turn. */
  readonly inTurn: Stream[] = [];
  /** It is the turn of `inTurn`, where both have streams. */
  isTurn = false;
}

/**
 * The order in which streams send (RFC 9218 §10). The lowest urgency is first. Of equal ones, incremental responses
 * share the connection in turn, and others follow each other. Where both kinds wait, they alternate, so that neither
 * starves the other.
 */
export class Scheduler<Stream extends Scheduled> {
  readonly #levels: (Level<Stream> | undefined)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds a stream, which must not be in it. */
  add(stream: Stream): void {
    const { urgency, isIncremental } = stream.priority;
    const level = (this.#levels[urgency] ??= new Level());
    this.#size++;
    if (isIncremental) {
      level.inTurn.push(stream);
      return;
    }
    let at = level.whole.length;
    while (at > 0 && (level.whole[at - 1]?.id ?? 0) > stream.id) at--;
    if (at === level.whole.length) level.whole.push(stream);
    else level.whole.splice(at, 0, stream);
  }

  /** Removes a stream, if it is in it. Its priority must be that with which it was added. */
  remove(stream: Stream): void {
    const level = this.#levels[stream.priority.urgency];
    if (level === undefined) return;
    const list = stream.priority.isIncremental ? level.inTurn : level.whole;
    const at = list.indexOf(stream);
    if (at < 0) return;
    this.#size--;
    if (at === 0) list.shift();
    else list.splice(at, 1);
  }

  /** The stream that sends the next frame; null when there is none. It stays in it. */
  next(): Stream | null {
    if (this.#size === 0) return null;
    for (const level of this.#levels) {
      if (level === undefined) continue;
      const { whole, inTurn } = level;
      const isTurn = inTurn.length > 0 && (whole.length === 0 || level.isTurn);
      level.isTurn = !isTurn;
      if (!isTurn) {
        if (whole[0] !== undefined) return whole[0];
        continue;
      }
      const [first] = inTurn;
      if (first === undefined) continue;
      if (inTurn.length > 1) {
        inTurn.shift();
        inTurn.push(first);
      }
      return first;
    }
    return null;
  }
}
