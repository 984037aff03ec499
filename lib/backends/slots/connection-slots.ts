/**
 * Connection slots limit the busy connections to each backend (or streams, with HTTP/2), of both lanes together, and
 * share them among clients.
 */
import { Hold } from './slot-hold.ts';

/** How long after a request of another client each client is limited to its share, ms. */
const SHARED_MS = 60_000;
/** How long a slot must wait for its client to count as held, ms. Shorter waits are normal in any network. */
const HELD_MS = 1_000;
/** A queue is stuck when its first request has waited for so long, ms. */
const STUCK_MS = 500;

/** What users of a slot record of its backend. */
export interface ResponseRecord {
  /** Number of responses so far. Distinguishes a slow request from a backend that responds to none. */
  readonly responseCount: number;
  /** The head of a response has come. @param sentAt when its request was sent, ms, on the same clock as `now` */
  responded(status: number, sentAt: number, now: number): void;
}

/** A taken slot. */
export interface ConnectionSlot {
  readonly backend: ResponseRecord;
  /** Releases the slot. Call once. */
  leave(): void;
  /**
   * The slot may wait for its client: see `Hold`.
   * @param giveUp called at most once, when others need the slot: release it soon
   */
  hold(giveUp: () => void): Hold;
}

/** Limits the slots of each backend, and shares them fairly among clients. */
export class ConnectionSlots {
  /** Slots of each backend without a limit of its own. */
  readonly limit: number;
  /** The backends at which requests wait. */
  readonly #crowded = new Set<BackendSlots>();
  /** Called when requests begin to wait: call `relieve` periodically until it returns false. */
  onCrowd: () => void = () => {};

  /** @param limit slots of each backend; further requests wait in a queue */
  constructor(limit: number) {
    this.limit = limit;
  }

  /**
   * Takes a slot. Null when all are taken, or when other clients use the backend and this one has its share.
   * @param client as `clientKey` returns it
   * @param now ms; only differences count
   * @param limit of the backend
   */
  enter(backend: BackendSlots, client: string, now: number, limit = this.limit): ConnectionSlot | null {
    backend.limit = limit;
    backend.saw(client, now);
    if (backend.queue.size > 0) backend.serve();
    const share = backend.shares.get(client);
    if (backend.taken >= limit || (share !== undefined && backend.left(share) <= 0)) return null;
    return backend.give(share ?? backend.shareOf(client));
  }

  /**
   * Joins the queue for a slot. Clients are served in turns, each with its oldest request.
   * @param onTurn called once, with the slot
   * @returns leaves the queue; does nothing after `onTurn` was called
   */
  wait(backend: BackendSlots, client: string, now: number, onTurn: (slot: ConnectionSlot) => void): () => void {
    const share = backend.shareOf(client);
    const waiter: Waiter = { onTurn, since: now };
    (share.waiting ??= new Set()).add(waiter);
    backend.waiting++;
    backend.queue.add(share);
    const isFirst = this.#crowded.size === 0;
    this.#crowded.add(backend);
    if (isFirst) this.onCrowd();
    return () => {
      if (share.waiting?.delete(waiter)) backend.waiting--;
      if (share.waiting?.size === 0) backend.queue.delete(share);
      backend.forget(share);
    };
  }

  /**
   * If a queue is stuck, takes slots from clients that hold more than their share: more than a quarter of all for one
   * client, or more than half for all clients. The client that holds the most loses its latest slot, so that older
   * responses and uploads can finish.
   * @returns whether requests still wait
   */
  relieve(now: number): boolean {
    for (const backend of this.#crowded) {
      backend.now = Math.max(backend.now, now);
      backend.serve();
      for (let wanted = backend.wanted(now - STUCK_MS); wanted > 0; wanted--) {
        const hold = backend.excess(now - HELD_MS);
        if (hold === null) break;
        hold.end();
        hold.giveUp();
      }
      if (backend.queue.size === 0) this.#crowded.delete(backend);
    }
    return this.#crowded.size > 0;
  }
}

interface Waiter {
  readonly onTurn: (slot: ConnectionSlot) => void;
  readonly since: number;
}

/** The slots of one backend. */
export class BackendSlots {
  limit = Infinity;
  taken = 0;
  /** Requests in the queue. */
  waiting = 0;
  readonly record: ResponseRecord;
  /** By client; only clients that have slots or wait for one. */
  readonly shares = new Map<string, Share>();
  /** The clients that wait, in the order of their turns. */
  readonly queue = new Set<Share>();
  /** The latest time that is known. */
  now = 0;
  #lastClient: string | null = null;
  /** Until when several clients are assumed to use the backend. */
  #isSharedUntil = -Infinity;

  constructor(record: ResponseRecord) {
    this.record = record;
  }

  /** A client uses it. */
  saw(client: string, now: number): void {
    this.now = now;
    if (client === this.#lastClient) return;
    if (this.#lastClient !== null) this.#isSharedUntil = now + SHARED_MS;
    this.#lastClient = client;
  }

  /** How many more slots a client may take. Its share is three quarters, while others use the backend, too. */
  left({ taken }: Share): number {
    if (this.now >= this.#isSharedUntil) return Infinity;
    return Math.max(1, this.limit - Math.max(1, Math.floor(this.limit / 4))) - taken;
  }

  shareOf(client: string): Share {
    let share = this.shares.get(client);
    if (share === undefined) {
      share = new Share(this, client);
      this.shares.set(client, share);
    }
    return share;
  }

  give(share: Share): ConnectionSlot {
    share.taken++;
    this.taken++;
    return share;
  }

  takeBack(share: Share): void {
    share.taken--;
    this.taken--;
    this.forget(share);
    if (this.queue.size > 0) this.serve();
  }

  forget(share: Share): void {
    if (share.taken === 0 && !this.queue.has(share)) this.shares.delete(share.client);
  }

  /** Gives free slots to those that wait. */
  serve(): void {
    while (this.taken < this.limit) {
      const share = this.#next();
      if (share === null) return;
      const [waiter] = share.waiting ?? [];
      this.queue.delete(share);
      if (waiter === undefined) {
        this.forget(share);
        continue;
      }
      share.waiting?.delete(waiter);
      this.waiting--;
      // Its next request waits until all others had a turn.
      if (share.waiting?.size !== 0) this.queue.add(share);
      waiter.onTurn(this.give(share));
    }
  }

  /** How many slots are missing for the requests that have waited since `before`. */
  wanted(before: number): number {
    let count = 0;
    for (const share of this.queue) {
      let stuck = 0;
      for (const { since } of share.waiting ?? []) {
        if (since > before) break;
        stuck++;
      }
      // A client above its share must first release the excess.
      if (stuck > 0) count += stuck + Math.max(0, -this.left(share));
    }
    return count;
  }

  /** The hold to end first, of the holds beyond a share that have lasted since `before`; null without one. */
  excess(before: number): Hold | null {
    let total = 0;
    let most = 0;
    let newest: Hold | null = null;
    for (const { holds } of this.shares.values()) {
      let count = 0;
      let last: Hold | null = null;
      for (const hold of holds ?? []) {
        if (hold.since > before) continue;
        count++;
        last = hold;
      }
      total += count;
      // Of several clients with equally many, the last one.
      if (count > 0 && count >= most) {
        most = count;
        newest = last;
      }
    }
    const isExcess = most > Math.max(1, Math.floor(this.limit / 4)) || total > Math.max(1, Math.floor(this.limit / 2));
    return isExcess ? newest : null;
  }

  #next(): Share | null {
    for (const share of this.queue) if (this.left(share) > 0) return share;
    return null;
  }
}

/** One client's slots at one backend; stands for each of them as a ConnectionSlot. */
class Share implements ConnectionSlot {
  readonly client: string;
  taken = 0;
  waiting: Set<Waiter> | null = null;
  /** In the order in which the slots were taken. */
  holds: Set<Hold> | null = null;
  readonly backend: ResponseRecord;
  readonly #slots: BackendSlots;

  constructor(slots: BackendSlots, client: string) {
    this.backend = slots.record;
    this.#slots = slots;
    this.client = client;
  }

  leave(): void {
    this.#slots.takeBack(this);
  }

  hold(giveUp: () => void): Hold {
    const hold = new Hold(this, giveUp);
    (this.holds ??= new Set()).add(hold);
    return hold;
  }
}
