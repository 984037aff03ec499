/** What was sure when a read was sent. */
export interface Stamp {
  /** Of which unbroken watch over all keys it is part. */
  readonly era: number;
  /** How often a wildcard had changed before. */
  readonly wildcards: number;
}

/** One read of a host's keys, from before it was sent. What it brought is in doubt as soon as the read is. */
export interface Read {
  /** When it began, `performance.now()` ms. */
  readonly at: number;
  readonly stamp: Stamp;
  isDoubtful: boolean;
}

/** Reads that have not ended, by host: what a change overtakes must not be taken for new. */
export class Reads {
  readonly #underWay = new Map<string, { readonly read: Read; count: number }>();

  /** A read of this host's keys is about to be sent. To be followed by `end`. */
  begin(frontend: string, at: number, stamp: Stamp): Read {
    const before = this.#underWay.get(frontend);
    // Two reads of one host share their fate: what puts the first in doubt may do so to the second.
    if (before !== undefined && !before.read.isDoubtful && before.read.stamp === stamp) {
      before.count++;
      return before.read;
    }
    const read = { at, stamp, isDoubtful: false };
    this.#underWay.set(frontend, { read, count: 1 });
    return read;
  }

  /** The read has ended, one way or the other. */
  end(frontend: string, read: Read): void {
    const underWay = this.#underWay.get(frontend);
    if (underWay?.read === read && --underWay.count === 0) this.#underWay.delete(frontend);
  }

  /** Something of this host has changed. */
  doubt(frontend: string): void {
    const underWay = this.#underWay.get(frontend);
    if (underWay !== undefined) underWay.read.isDoubtful = true;
  }
}
