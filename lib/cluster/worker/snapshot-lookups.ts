import type { SnapshotQuery, SnapshotReply } from '../messages.ts';

/** Hosts asked for in one message at most, and answered within a few milliseconds. */
const MAX_HOSTS = 250;
/** Hosts that wait to be asked for; further ones are not known. Names that strangers make up have no end. */
const MAX_WAITING = 10_000;
/** How long the master may take, ms. */
const LIMIT_MS = 1_000;

type Settle = (lines: readonly string[]) => void;

/**
 * A worker's questions for what other workers know. One is under way at a time, and those that come meanwhile share the
 * next: the master hears a message of each worker, however many requests there are.
 */
export class SnapshotLookups {
  readonly #say: (recall: SnapshotQuery) => void;
  #waiting = new Map<string, Settle[]>();
  #underWay: ReadonlyMap<string, readonly Settle[]> | null = null;
  #id = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(say: (recall: SnapshotQuery) => void) {
    this.#say = say;
  }

  /** What is known of a host and its prefixes; nothing when the master does not answer in time. Never rejects. */
  ask(host: string): Promise<readonly string[]> {
    return new Promise((resolve) => {
      const others = this.#waiting.get(host);
      if (others !== undefined) others.push(resolve);
      else if (this.#waiting.size >= MAX_WAITING) resolve([]);
      else this.#waiting.set(host, [resolve]);
      // At the end of the turn: its other requests may ask, too.
      if (this.#underWay === null && this.#waiting.size === 1) setImmediate(() => this.#send());
    });
  }

  /** The master has answered. */
  take({ id, lines }: SnapshotReply): void {
    if (id !== this.#id || this.#underWay === null) return;
    const asked = [...this.#underWay];
    const rest = asked.slice(lines.length);
    for (const [i, each] of lines.entries()) for (const settle of asked[i]?.[1] ?? []) settle(each);
    for (const [host, settles] of rest) {
      this.#waiting.set(host, [...settles, ...(this.#waiting.get(host) ?? [])]);
    }
    this.#next();
  }

  #send(): void {
    if (this.#underWay !== null || this.#waiting.size === 0) return;
    const all = [...this.#waiting];
    this.#underWay = new Map(all.slice(0, MAX_HOSTS));
    this.#waiting = new Map(all.slice(MAX_HOSTS));
    this.#timer = setTimeout(() => this.#giveUp(), LIMIT_MS);
    this.#say({ id: ++this.#id, hosts: [...this.#underWay.keys()] });
  }

  #giveUp(): void {
    for (const settles of this.#underWay?.values() ?? []) for (const settle of settles) settle([]);
    this.#next();
  }

  #next(): void {
    clearTimeout(this.#timer);
    this.#underWay = null;
    this.#send();
  }
}
