/** How many connections to one backend are busy, whichever lane they belong to. */
export class Places {
  /** Busy connections to one backend, at most. */
  readonly limit: number;
  readonly #backends = new Map<string, Queue>();

  /** @param limit busy connections to one backend; whoever comes then waits for a turn */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** Takes one of a backend's places, or null when all are taken or others wait for one. @param origin scheme, host, port */
  enter(origin: string): Place | null {
    const queue = this.#of(origin);
    if (queue.taken >= this.limit) return null;
    queue.taken++;
    return queue;
  }

  /**
   * Joins the queue for a place.
   * @param onTurn told, once, of the place that is the caller's from then on
   * @returns leaves the queue; nothing happens once `onTurn` was called
   */
  wait(origin: string, onTurn: (place: Place) => void): () => void {
    const queue = this.#of(origin);
    queue.waiting ??= new Set();
    const waiter = { onTurn };
    queue.waiting.add(waiter);
    return () => {
      queue.waiting?.delete(waiter);
    };
  }

  #of(origin: string): Queue {
    let queue = this.#backends.get(origin);
    if (queue === undefined) {
      if (this.#backends.size >= MAX_UNUSED) this.#sweep();
      queue = new Queue();
      this.#backends.set(origin, queue);
    }
    return queue;
  }

  /** Forgets backends that nobody uses. */
  #sweep(): void {
    for (const [origin, { taken }] of this.#backends) if (taken === 0) this.#backends.delete(origin);
  }
}

/** A place that was taken. */
export interface Place {
  /** Gives it back, or to the first who waits. To be called once. */
  leave(): void;
}

/** How many backends are remembered before those that are not in use are forgotten. */
const MAX_UNUSED = 10_000;

class Queue implements Place {
  taken = 0;
  waiting: Set<{ readonly onTurn: (place: Place) => void }> | null = null;

  leave(): void {
    for (const next of this.waiting ?? []) {
      this.waiting?.delete(next);
      next.onTurn(this);
      return;
    }
    this.taken--;
  }
}
