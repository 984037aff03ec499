import { RecentUsers } from './recent-users.ts';
import { Hold } from './slot-hold.ts';

/** Records of so many sites without slots are kept for their next request. */
const SITES_KEPT = 8;

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
  /** Only sites that have slots or wait for one, and a few others. */
  readonly #sites = new Map<string, SiteUse>();
  /** Only clients that have slots or wait for one. */
  readonly #clients = new Map<string, ClientUse>();
  /** The sites that wait, in the order of their turns. */
  readonly #queue = new Set<SiteUse>();
  readonly #siteUsers = new RecentUsers();
  readonly #clientUsers = new RecentUsers();
  /** Most requests are for the site of the last one. */
  #lastSite: SiteUse | null = null;
  /** The latest time that is known. */
  now = 0;

  constructor(record: ResponseRecord) {
    this.record = record;
  }

  /** Whether requests wait, or have left the queue since it was last served. */
  get hasQueue(): boolean {
    return this.#queue.size > 0;
  }

  /** How many sites and clients it has records of, for tests. */
  get holders(): { readonly sites: number; readonly clients: number } {
    return { sites: this.#sites.size, clients: this.#clients.size };
  }

  /** A client of a site uses it. */
  saw(site: string, client: string, now: number): void {
    this.now = now;
    this.#siteUsers.saw(site, now);
    this.#clientUsers.saw(client, now);
  }

  /** Takes a slot; null when there is none for this site and client. */
  take(site: string, client: string): ConnectionSlot | null {
    if (this.taken >= this.limit) return null;
    const use = this.#siteOf(site);
    if (this.#leftOf(use, this.#siteUsers) <= 0) return null;
    const share = this.#shareOf(use, client);
    if (this.#leftOf(share.client, this.#clientUsers) > 0) return this.#give(share);
    this.#forget(share);
    return null;
  }

  /** As `ConnectionSlots.wait`. */
  wait(site: string, client: string, now: number, onTurn: (slot: ConnectionSlot) => void): () => void {
    const use = this.#siteOf(site);
    const share = this.#shareOf(use, client);
    const waiter: Waiter = { onTurn, since: now };
    (share.waiting ??= new Set()).add(waiter);
    this.waiting++;
    use.queue.add(share);
    this.#queue.add(use);
    return () => {
      if (share.waiting?.delete(waiter)) this.waiting--;
      if (share.waiting?.size === 0) this.#leaveQueue(share);
      this.#forget(share);
    };
  }

  takeBack(share: Share): void {
    share.site.taken--;
    share.client.taken--;
    share.taken--;
    this.taken--;
    this.#forget(share);
    if (this.hasQueue) this.serve();
  }

  /** Gives free slots to those that wait. */
  serve(): void {
    while (this.taken < this.limit) {
      const share = this.#next();
      if (share === null) return;
      const [waiter] = share.waiting ?? [];
      this.#leaveQueue(share);
      if (waiter === undefined) {
        this.#forget(share);
        continue;
      }
      share.waiting?.delete(waiter);
      this.waiting--;
      // Its next request waits until all others of the site had a turn, and the site until all others had one.
      const { site } = share;
      if (share.waiting?.size !== 0) site.queue.add(share);
      this.#queue.delete(site);
      if (site.queue.size > 0) this.#queue.add(site);
      waiter.onTurn(this.#give(share));
    }
  }

  /** How many slots are missing for the requests that have waited since `before`. */
  wanted(before: number): number {
    let count = 0;
    for (const site of this.#queue) {
      let ofSite = 0;
      for (const { waiting, client } of site.queue) {
        let stuck = 0;
        for (const { since } of waiting ?? []) {
          if (since > before) break;
          stuck++;
        }
        // A client above its share must first release the excess, and so must a site.
        if (stuck > 0) ofSite += stuck + Math.max(0, -this.#leftOf(client, this.#clientUsers));
      }
      if (ofSite > 0) count += ofSite + Math.max(0, -this.#leftOf(site, this.#siteUsers));
    }
    return count;
  }

  /** The hold to end first, of the holds beyond a share that have lasted since `before`; null without one. */
  excess(before: number): Hold | null {
    let total = 0;
    let most = 0;
    let newest: Hold | null = null;
    for (const { holds } of this.#clients.values()) {
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

  /** How many more slots a site or client may take. Its share is three quarters, while others use the backend, too. */
  #leftOf({ taken }: { readonly taken: number }, users: RecentUsers): number {
    if (!users.areSeveral(this.now)) return Infinity;
    return Math.max(1, this.limit - Math.max(1, Math.floor(this.limit / 4))) - taken;
  }

  #siteOf(name: string): SiteUse {
    const last = this.#lastSite;
    if (last?.name === name) return last;
    let site = this.#sites.get(name);
    if (site === undefined) {
      site = new SiteUse(name);
      this.#sites.set(name, site);
    }
    this.#lastSite = site;
    return site;
  }

  #shareOf(site: SiteUse, name: string): Share {
    let share = site.shares.get(name);
    if (share !== undefined) return share;
    let client = this.#clients.get(name);
    if (client === undefined) {
      client = new ClientUse(name);
      this.#clients.set(name, client);
    }
    client.shares++;
    share = new Share(this, site, client);
    site.shares.set(name, share);
    return share;
  }

  #give(share: Share): ConnectionSlot {
    share.site.taken++;
    share.client.taken++;
    share.taken++;
    this.taken++;
    return share;
  }

  #leaveQueue(share: Share): void {
    const { site } = share;
    site.queue.delete(share);
    if (site.queue.size === 0) this.#queue.delete(site);
  }

  #forget(share: Share): void {
    const { site, client } = share;
    if (share.taken > 0 || site.queue.has(share) || site.shares.get(client.name) !== share) return;
    site.shares.delete(client.name);
    if (--client.shares === 0) this.#clients.delete(client.name);
    if (site.shares.size > 0 || this.#sites.size <= SITES_KEPT) return;
    this.#sites.delete(site.name);
    if (this.#lastSite === site) this.#lastSite = null;
  }

  /** The next whose turn it is, of those that have less than their share; null without one. */
  #next(): Share | null {
    for (const site of this.#queue) {
      if (this.#leftOf(site, this.#siteUsers) <= 0) continue;
      for (const share of site.queue) if (this.#leftOf(share.client, this.#clientUsers) > 0) return share;
    }
    return null;
  }
}

/** What one site has of a backend's slots. */
class SiteUse {
  readonly name: string;
  taken = 0;
  /** By client. */
  readonly shares = new Map<string, Share>();
  /** The clients that wait, in the order of their turns. */
  readonly queue = new Set<Share>();

  constructor(name: string) {
    this.name = name;
  }
}

/** What one client has of a backend's slots, for all sites. */
class ClientUse {
  readonly name: string;
  taken = 0;
  /** How many sites it has a share for. */
  shares = 0;
  /** In the order in which the slots were taken. */
  holds: Set<Hold> | null = null;

  constructor(name: string) {
    this.name = name;
  }
}

/** One client's slots for one site at one backend; stands for each of them as a ConnectionSlot. */
class Share implements ConnectionSlot {
  readonly site: SiteUse;
  readonly client: ClientUse;
  readonly backend: ResponseRecord;
  taken = 0;
  waiting: Set<Waiter> | null = null;
  readonly #slots: BackendSlots;

  constructor(slots: BackendSlots, site: SiteUse, client: ClientUse) {
    this.site = site;
    this.client = client;
    this.backend = slots.record;
    this.#slots = slots;
  }

  leave(): void {
    this.#slots.takeBack(this);
  }

  hold(giveUp: () => void): Hold {
    const hold = new Hold(this.client, giveUp);
    (this.client.holds ??= new Set()).add(hold);
    return hold;
  }
}
