/**
 * The slots of each backend: how many connections to it (or streams, of one that speaks HTTP/2) are busy, whichever lane
 * they belong to, and which clients have them.
 */
import { Hold } from './slot-hold.ts';

/** For so long after another client was seen at a backend each client is kept to its share, ms. */
const SHARED_MS = 60_000;
/** A client holds a slot that has waited for it for so long, ms: shorter waits are those of any network. */
const HELD_MS = 1_000;
/** A queue is stuck when its first request has waited for so long, ms. */
const STUCK_MS = 500;

/** What is written down of a backend by those that hold its slots. */
export interface ResponseRecord {
  /** How many requests it has responded to: tells a slow request from a backend that responds to none. */
  readonly responseCount: number;
  /** The head of a response has come. @param ms since its request was sent */
  responded(status: number, ms: number): void;
}

/** A slot that was taken. */
export interface ConnectionSlot {
  readonly backend: ResponseRecord;
  /** Gives it back, or to the next who waits. To be called once. */
  leave(): void;
  /**
   * Says that the slot waits for its client from time to time: see `Hold`.
   * @param giveUp called at most once, when others need the slot: it has to be left soon
   */
  hold(giveUp: () => void): Hold;
}

/** Bounds the slots of each backend, and shares them fairly among clients. */
export class ConnectionSlots {
  /** Slots of a backend of which nothing else is said. */
  readonly limit: number;
  /** Those at which requests wait. */
  readonly #crowded = new Set<BackendSlots>();
  /** Told when requests begin to wait: `relieve` is to be called from time to time until it says that none does. */
  onCrowd: () => void = () => {};

  /** @param limit slots of each backend; further requests wait for their turn */
  constructor(limit: number) {
    this.limit = limit;
  }

  /**
   * Takes a slot; null when all are taken, or when the client has its share and others use the backend, too.
   * @param client as `clientKey` says
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
   * Joins the queue for a slot. Clients have their turns one after the other, each with its oldest request.
   * @param onTurn called once, with the slot, which is the caller's from then on
   * @returns leaves the queue; nothing happens once `onTurn` was called
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
   * Where a queue is stuck, takes slots from clients that hold more than their share of them: more than a quarter of all
   * for one client, or more than half for all clients. The client with the most slots held loses the one that it took
   * last, so that older responses and uploads get to their end.
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
  /** Requests that wait for one. */
  waiting = 0;
  readonly record: ResponseRecord;
  /** By client, of those that have slots or wait for one. */
  readonly shares = new Map<string, Share>();
  /** The clients that wait, in the order of their turns. */
  readonly queue = new Set<Share>();
  /** The latest time that is known. */
  now = 0;
  #lastClient: string | null = null;
  /** Until when several clients are taken to use it. */
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

  /** How many slots a client may take more: it has three quarters of them, while others use the backend, too. */
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

  /** How many slots it would take for all requests that have waited since `before` to have one. */
  wanted(before: number): number {
    let count = 0;
    for (const share of this.queue) {
      let stuck = 0;
      for (const { since } of share.waiting ?? []) {
        if (since > before) break;
        stuck++;
      }
      // A client that has more than its share gets one when it has less.
      if (stuck > 0) count += stuck + Math.max(0, -this.left(share));
    }
    return count;
  }

  /** The hold to end first of those that are more than their share, and have lasted since `before`; null without one. */
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
      // Of several clients with as many, the one that came last.
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

/** One client's slots at one backend; each of them is a Place. */
class Share implements ConnectionSlot {
  readonly client: string;
  taken = 0;
  waiting: Set<Waiter> | null = null;
  /** In the order of their slots. */
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
