import { DEFAULT_PRIORITY, type Priority, priorityOf } from './frames/priority.ts';

/** Priorities that a client gave streams before it opened them (RFC 9218 §7.1), of one connection. */
export class EarlyPriorities {
  readonly #priorities = new Map<number, Priority>();

  /**
   * Keeps the latest priority of a stream that is not open yet.
   * @param free how many more streams the client may open
   * @returns false when there are more such streams than it may open
   */
  set(id: number, value: string, free: number): boolean {
    const before = this.#priorities.get(id);
    if (before === undefined && this.#priorities.size >= free) return false;
    this.#priorities.set(id, priorityOf(value, before ?? DEFAULT_PRIORITY));
    return true;
  }

  /** The priority of a stream that opens now. Streams with lower ids will never open (RFC 9113 §5.1.1). */
  take(id: number): Priority {
    if (this.#priorities.size === 0) return DEFAULT_PRIORITY;
    const priority = this.#priorities.get(id) ?? DEFAULT_PRIORITY;
    for (const early of this.#priorities.keys()) if (early <= id) this.#priorities.delete(early);
    return priority;
  }
}
