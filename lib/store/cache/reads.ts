/** The state of a watch when a read was sent. */
export interface Stamp {
  /** The number of the watch: a new one begins after each interruption. */
  readonly era: number;
  /** How often a wildcard had changed before. */
  readonly wildcards: number;
}

/** One read of a host's keys. A change of the host makes the read and its result doubtful. */
export interface Read {
  /** When it began, `performance.now()` ms. */
  readonly at: number;
  readonly stamp: Stamp;
  isDoubtful: boolean;
}

/** A read in progress, how many share it, and a read that was sent earlier, with another stamp. */
interface UnderWay {
  readonly read: Read;
  count: number;
  older: UnderWay | null;
}

/** Reads in progress, by host: the result of a read that a change overtakes must not count as fresh. */
export class Reads {
  /** Without doubtful ones, which need no further tracking. */
  readonly #underWay = new Map<string, UnderWay>();

  /** Registers a read of this host's keys before it is sent. Call `end` afterwards. */
  begin(frontend: string, at: number, stamp: Stamp): Read {
    const last = this.#underWay.get(frontend) ?? null;
    // Two reads of one host share their state: a change that makes the first doubtful may do so to the second.
    if (last?.read.stamp === stamp) {
      last.count++;
      return last.read;
    }
    const read = { at, stamp, isDoubtful: false };
    this.#underWay.set(frontend, { read, count: 1, older: last });
    return read;
  }

  /** Removes a read that has ended, successfully or not. */
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

  /** The host has changed. */
  doubt(frontend: string): void {
    for (let each = this.#underWay.get(frontend) ?? null; each !== null; each = each.older) {
      each.read.isDoubtful = true;
    }
    this.#underWay.delete(frontend);
  }
}
