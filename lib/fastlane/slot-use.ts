import type { Place, Places } from '../backends/slots/connection-slots.ts';
import type { Hold } from '../backends/slots/slot-hold.ts';
import type { BackendState } from '../backends/state/backend-state.ts';

/** What uses the slot. */
export interface SlotUser {
  /** The slot has been awaited, and is there. */
  onSlot(): void;
  /** Others need the slot, and it waits for the client: it has to be left soon. */
  onSlotNeeded(): void;
}

/**
 * A request's connection slot at a backend: awaited, taken, held while it waits for the client, and left. One for each
 * client's connection, used for one request after the other.
 */
export class SlotUse {
  readonly #user: SlotUser;
  readonly #places: Places;
  #place: Place | null = null;
  /** Set when the slot has waited for the client. */
  #hold: Hold | null = null;
  #leaveQueue: (() => void) | null = null;
  /** How many requests the backend had responded to when this one was sent. */
  #responsesBefore = 0;

  constructor(user: SlotUser, places: Places) {
    this.#user = user;
    this.#places = places;
  }

  /** @param client as `clientKey` returns it. @param now ms. @returns false when the slot comes later: see `onSlot` */
  take({ slots }: BackendState, client: string, now: number): boolean {
    this.#place = this.#places.enter(slots, client, now);
    if (this.#place !== null) return true;
    this.#leaveQueue = this.#places.wait(slots, client, now, this.#onTurn);
    return false;
  }

  /** The request is sent. */
  onSend(): void {
    this.#responsesBefore = this.#place?.backend.responseCount ?? 0;
  }

  /** The head of its response has come. @param ms since it was sent */
  onResponse(status: number, ms: number): void {
    this.#place?.backend.responded(status, ms);
    this.#hold?.stop();
  }

  /** The backend has responded to other requests since this one was sent. */
  get hasAnsweredOthers(): boolean {
    return this.#place !== null && this.#place.backend.responseCount !== this.#responsesBefore;
  }

  /** The slot waits for the client from now on. @param bodyBytes of the request's body so far */
  awaitClient(bodyBytes: number, now: number): void {
    this.#hold ??= this.#place?.hold(this.#onNeeded) ?? null;
    this.#hold?.begin(now, bodyBytes);
  }

  /** The client has sent more of its body, and the slot waits on. */
  onBytes(bodyBytes: number, now: number): void {
    this.#hold?.onBytes(bodyBytes, now);
  }

  /** The client has read some. @param isBlocked not all that was written for it */
  onClientRead(isBlocked: boolean, now: number): void {
    this.#hold?.onRead(isBlocked, now);
  }

  /** The slot does not wait for the client. */
  stopWaiting(): void {
    this.#hold?.stop();
  }

  /** Gives the slot to the caller, who has to leave it. */
  handOver(): Place | null {
    const place = this.#place;
    this.#place = null;
    return place;
  }

  /** Leaves the slot, or the queue for it. Idempotent. */
  leave(): void {
    this.#leaveQueue?.();
    this.#leaveQueue = null;
    this.#hold?.end();
    this.#hold = null;
    // Last: the next in the queue gets the slot at once.
    this.handOver()?.leave();
  }

  readonly #onTurn = (place: Place): void => {
    this.#leaveQueue = null;
    this.#place = place;
    this.#user.onSlot();
  };

  readonly #onNeeded = (): void => this.#user.onSlotNeeded();
}
