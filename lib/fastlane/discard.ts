import type { Occupant, OccupiedClient } from './occupant.ts';
import type { LaneShared } from './shared.ts';

/** How much of a body nobody wants is read, so that the client can hear the answer before the connection closes. */
const DISCARD_BYTES = 262_144;

/**
 * Reads and forgets the rest of a request's body after its answer, up to a bound; past it, or when it stops coming,
 * the connection is destroyed.
 */
export class Discard implements Occupant {
  readonly #client: OccupiedClient;
  readonly #shared: LaneShared;
  readonly #isLast: boolean;
  #left = DISCARD_BYTES;

  /** @param isLast the connection is to be closed after it */
  constructor(client: OccupiedClient, shared: LaneShared, isLast: boolean) {
    this.#client = client;
    this.#shared = shared;
    this.#isLast = isLast;
    this.#wait();
  }

  onBody(bytes: Buffer | null, isWhole: boolean): void {
    this.#left -= bytes?.length ?? 0;
    if (isWhole) this.#client.passed(this.#isLast);
    else if (this.#left < 0) this.#client.cut();
    else this.#wait();
  }

  onBadBody(): void {
    this.#client.cut();
  }

  onClientDrained(): void {}

  onClientGone(): void {}

  ring(): void {
    this.#client.cut();
  }

  #wait(): void {
    this.#client.due = this.#shared.deadlines.after(this.#shared.parts.limits.bodyMs);
  }
}
