/**
 * An entry of an IdleQueue. Made once per owner, and pushed and removed as often as the owner becomes idle and busy.
 */
export class IdleLink<Owner> {
  readonly owner: Owner;
  previous: IdleLink<Owner> | null = null;
  next: IdleLink<Owner> | null = null;

  constructor(owner: Owner) {
    this.owner = owner;
  }
}

/** A queue of idle owners, the longest idle first. A doubly linked list: each step takes constant time. */
export class IdleQueue<Owner> {
  #first: IdleLink<Owner> | null = null;
  #last: IdleLink<Owner> | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The owner that has been idle longest; null when the queue is empty. */
  get first(): Owner | null {
    return this.#first === null ? null : this.#first.owner;
  }

  /** Appends an entry. It must be in no queue. */
  push(link: IdleLink<Owner>): void {
    link.previous = this.#last;
    if (this.#last === null) this.#first = link;
    else this.#last.next = link;
    this.#last = link;
    this.#size++;
  }

  /** Removes an entry. It must be in this queue. */
  remove(link: IdleLink<Owner>): void {
    const { previous, next } = link;
    if (previous === null) this.#first = next;
    else previous.next = next;
    if (next === null) this.#last = previous;
    else next.previous = previous;
    link.previous = null;
    link.next = null;
    this.#size--;
  }
}
