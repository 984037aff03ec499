/** A place in an IdleQueue. Made once, entered and removed as often as its owner becomes idle and busy. */
export class IdleLink<Owner> {
  readonly owner: Owner;
  previous: IdleLink<Owner> | null = null;
  next: IdleLink<Owner> | null = null;

  constructor(owner: Owner) {
    this.owner = owner;
  }
}

/** Who is idle, the longest idle first: a doubly linked list, so that each step takes the same time with any number. */
export class IdleQueue<Owner> {
  #first: IdleLink<Owner> | null = null;
  #last: IdleLink<Owner> | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Who has been idle longest. */
  get first(): Owner | null {
    return this.#first === null ? null : this.#first.owner;
  }

  /** Enters one that is in no queue. */
  push(link: IdleLink<Owner>): void {
    link.previous = this.#last;
    if (this.#last === null) this.#first = link;
    else this.#last.next = link;
    this.#last = link;
    this.#size++;
  }

  /** Removes one that is in this queue. */
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
