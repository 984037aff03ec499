import type { SnapshotQuery, SnapshotReply } from '../messages.ts';

/** Hosts per message: the master replies within a few milliseconds. */
const MAX_HOSTS = 250;
/** Hosts that may wait; further ones get no routes. Clients can make up any number of names. */
const MAX_WAITING = 10_000;
/** How long the master may take, ms. */
const LIMIT_MS = 1_000;

type Settle = (lines: readonly string[]) => void;

/**
 * Requests what other workers know from the master. One request is open at a time; hosts that are asked for meanwhile
 * share the next. So the master gets one message per worker, however many requests there are.
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

  /** The known routes of a host and its prefixes; empty when the master does not reply in time. Never rejects. */
  ask(host: string): Promise<readonly string[]> {
    return new Promise((resolve) => {
      const others = this.#waiting.get(host);
      if (others !== undefined) others.push(resolve);
      else if (this.#waiting.size >= MAX_WAITING) resolve([]);
      else this.#waiting.set(host, [resolve]);
      // At the end of this turn of the event loop, so that other requests of the turn share the message.
      if (this.#underWay === null && this.#waiting.size === 1) setImmediate(() => this.#send());
    });
  }

  /** The master's reply. */
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
