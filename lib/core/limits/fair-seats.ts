/** A holder of seats, and how many it has. */
interface Most<Holder> {
  readonly holder: Holder;
  readonly count: number;
}

interface Seat {
  readonly site: string;
  readonly client: string;
}

/**
 * A bounded number of members of sites and their clients. One site alone may have all seats, and one client alone all of its
 * site's. When they are taken, a newcomer gets the seat of the site with the most, if that has at least two more than the
 * newcomer's site; within a site, that of the client with the most in the same way. It is the newest seat that is given up.
 */
export class FairSeats<Member> {
  readonly #max: number;
  readonly #seats = new Map<Member, Seat>();
  /** By site, then by client, without empty entries. */
  readonly #sites = new Map<string, Map<string, Set<Member>>>();

  /** @param max members at a time */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#seats.size;
  }

  /** @returns the member without a seat: null if one was free, a member that has lost its own, or the newcomer */
  enter(member: Member, site: string, client: string): Member | null {
    if (this.#seats.size < this.#max) {
      this.#take(member, site, client);
      return null;
    }
    const loser = this.#loserTo(site, client);
    if (loser === null) return member;
    this.leave(loser);
    this.#take(member, site, client);
    return loser;
  }

  /** Gives a seat back. Idempotent. */
  leave(member: Member): void {
    const seat = this.#seats.get(member);
    if (seat === undefined) return;
    this.#seats.delete(member);
    const clients = this.#sites.get(seat.site);
    const members = clients?.get(seat.client);
    members?.delete(member);
    if (members?.size === 0) clients?.delete(seat.client);
    if (clients?.size === 0) this.#sites.delete(seat.site);
  }

  #take(member: Member, site: string, client: string): void {
    this.#seats.set(member, { site, client });
    const clients = this.#sites.get(site) ?? new Map<string, Set<Member>>();
    this.#sites.set(site, clients);
    const members = clients.get(client) ?? new Set<Member>();
    clients.set(client, members.add(member));
  }

  #loserTo(site: string, client: string): Member | null {
    const own = this.#sites.get(site);
    const richest = mostOf(this.#sites, sizeOf);
    if (richest !== null && richest.count > sizeOf(own) + 1) return newestOfMost(richest.holder);
    const greediest = own && mostOf(own, (members) => members.size);
    if (!greediest || greediest.count <= (own.get(client)?.size ?? 0) + 1) return null;
    return newest(greediest.holder);
  }
}

function sizeOf(clients: ReadonlyMap<string, ReadonlySet<unknown>> | undefined): number {
  let size = 0;
  for (const members of clients?.values() ?? []) size += members.size;
  return size;
}

function mostOf<Holder>(holders: ReadonlyMap<string, Holder>, count: (holder: Holder) => number): Most<Holder> | null {
  let most: Most<Holder> | null = null;
  for (const holder of holders.values()) {
    const has = count(holder);
    if (most === null || has > most.count) most = { holder, count: has };
  }
  return most;
}

function newestOfMost<Member>(clients: ReadonlyMap<string, ReadonlySet<Member>>): Member | null {
  const most = mostOf(clients, (members) => members.size);
  return most && newest(most.holder);
}

/** Sets keep the order in which their members came. */
function newest<Member>(members: ReadonlySet<Member>): Member | null {
  return [...members].at(-1) ?? null;
}
