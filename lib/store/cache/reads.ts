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

/** A read that has not ended, how many share it, and what else was sent before it, when other things were sure. */
interface UnderWay {
  readonly read: Read;
  count: number;
  older: UnderWay | null;
}

/** Reads that have not ended, by host: what a change overtakes must not be taken for new. */
export class Reads {
  /** Those in doubt are not among them: nothing more can happen to these. */
  readonly #underWay = new Map<string, UnderWay>();

  /** A read of this host's keys is about to be sent. To be followed by `end`. */
  begin(frontend: string, at: number, stamp: Stamp): Read {
    const last = this.#underWay.get(frontend) ?? null;
    // Two reads of one host share their fate: what puts the first in doubt may do so to the second.
    if (last?.read.stamp === stamp) {
      last.count++;
      return last.read;
    }
    const read = { at, stamp, isDoubtful: false };
    this.#underWay.set(frontend, { read, count: 1, older: last });
    return read;
  }

  /** The read has ended, one way or the other. */
  end(frontend: string, read: Read): void {
    let newer: UnderWay | null = null;
    for (let each = this.#underWay.get(frontend) ?? null; each !== null; each = each.older) {
      if (each.read !== read) {
        newer = each;
        continue;
      }
      if (--each.count > 0) return;
      if (newer !== null) newer.older = each.older;
      else if (each.older !== null) this.#underWay.set(frontend, each.older);
      else this.#underWay.delete(frontend);
      return;
    }
  }

  /** Something of this host has changed. */
  doubt(frontend: string): void {
    for (let each = this.#underWay.get(frontend) ?? null; each !== null; each = each.older) {
      each.read.isDoubtful = true;
    }
    this.#underWay.delete(frontend);
  }
}
