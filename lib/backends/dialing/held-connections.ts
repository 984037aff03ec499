import { isIP } from 'node:net';

/** A connection to an address of a name, and a callback for when the name resolves elsewhere. */
interface HeldConnection {
  readonly address: string;
  readonly onMoved: () => void;
}

/** The open connections to backends with names, by name. */
export class HeldConnections {
  readonly #held = new Map<string, Set<HeldConnection>>();

  /** Names with open connections. */
  get names(): readonly string[] {
    return [...this.#held.keys()];
  }

  /**
   * @param onMoved called at most once, and not after the release. @returns the release: call it when the connection
   *   has closed
   */
  add(name: string, address: string, onMoved: () => void): () => void {
    const held: HeldConnection = { address, onMoved };
    const all = this.#held.get(name) ?? new Set();
    this.#held.set(name, all.add(held));
    return () => this.#remove(name, held);
  }

  /**
   * Sets the current addresses of a name: calls `onMoved` of connections to others.
   * @param unheard the family, 4 or 6, whose addresses are unknown; 0 for none
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
