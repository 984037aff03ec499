import { isIP } from 'node:net';

/** One connection that was made to an address of a name, and what is called when the name leads elsewhere. */
interface HeldConnection {
  readonly address: string;
  readonly onMoved: () => void;
}

/** The open connections to backends that have names, by name: as many as there are connections. */
export class HeldConnections {
  readonly #held = new Map<string, Set<HeldConnection>>();

  /** Names that connections are open to. */
  get names(): readonly string[] {
    return [...this.#held.keys()];
  }

  /** @param onMoved called once at most, and not after the release. @returns the release, for when the connection has closed */
  add(name: string, address: string, onMoved: () => void): () => void {
    const held: HeldConnection = { address, onMoved };
    const all = this.#held.get(name) ?? new Set();
    this.#held.set(name, all.add(held));
    return () => this.#remove(name, held);
  }

  /**
   * The addresses of a name are these: connections to others are told.
   * @param unheard the family, 4 or 6, whose addresses are not known; 0 for none
   */
  compare(name: string, addresses: readonly string[], unheard = 0): void {
    for (const held of this.#held.get(name) ?? []) {
      if (addresses.includes(held.address) || isIP(held.address) === unheard) continue;
      this.#remove(name, held);
      held.onMoved();
    }
  }

  #remove(name: string, held: HeldConnection): void {
    const all = this.#held.get(name);
    if (all?.delete(held) && all.size === 0) this.#held.delete(name);
  }
}
