import type { Notify, StoreEvent } from '../../lib/store/store.ts';

/** Collects what a store tells, and lets a test wait for it. */
export class Notices {
  readonly all: StoreEvent[] = [];
  #waiting: (() => void)[] = [];
  #seen = 0;

  /** To be given to what tells. */
  readonly notify: Notify = (notice) => {
    this.all.push(notice);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  };

  /** The next notice of a type, after the last one that was waited for. Passes over others. */
  async next<Type extends StoreEvent['type']>(type: Type): Promise<Extract<StoreEvent, { type: Type }>> {
    while (true) {
      const notice = this.all[this.#seen];
      if (notice === undefined) await this.#more();
      else {
        this.#seen++;
        if (isOf(notice, type)) return notice;
      }
    }
  }

  /** The types of all notices, in order. */
  get types(): readonly string[] {
    return this.all.map(({ type }) => type);
  }

  #more(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

function isOf<Type extends StoreEvent['type']>(
  notice: StoreEvent,
  type: Type,
): notice is Extract<StoreEvent, { type: Type }> {
  return notice.type === type;
}
