/**
 * Connection slots limit the busy connections to each backend (or streams, with HTTP/2), of both lanes together, and
 * share them among sites and clients.
 */
import type { BackendSlots, ConnectionSlot } from './backend-slots.ts';

/** How long a slot must wait for its client to count as held, ms. Shorter waits are normal in any network. */
const HELD_MS = 1_000;
/** A queue is stuck when its first request has waited for so long, ms. */
const STUCK_MS = 500;

/** Limits the slots of each backend, and shares them fairly among sites, and clients. */
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
   * Takes a slot. Null when all are taken, or when other sites or clients use the backend, and this one has its share.
   * @param site as `siteOf` returns it
   * @param client as `clientKey` returns it
   * @param now ms; only differences count
   * @param limit of the backend
   */
  enter(backend: BackendSlots, site: string, client: string, now: number, limit = this.limit): ConnectionSlot | null {
    backend.limit = limit;
    backend.saw(site, client, now);
    if (backend.hasQueue) backend.serve();
    return backend.take(site, client);
  }

  /**
   * Joins the queue for a slot. Sites are served in turns, the clients of each in turns, each with its oldest request.
   * @param onTurn called once, with the slot
   * @returns leaves the queue; does nothing after `onTurn` was called
   */
  wait(
    backend: BackendSlots,
    site: string,
    client: string,
    now: number,
    onTurn: (slot: ConnectionSlot) => void,
  ): () => void {
    const leave = backend.wait(site, client, now, onTurn);
    const isFirst = this.#crowded.size === 0;
    this.#crowded.add(backend);
    if (isFirst) this.onCrowd();
    return leave;
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
      if (!backend.hasQueue) this.#crowded.delete(backend);
    }
    return this.#crowded.size > 0;
  }
}
