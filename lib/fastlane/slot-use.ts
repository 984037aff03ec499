import type { ConnectionSlot } from '../backends/slots/backend-slots.ts';
import type { ConnectionSlots } from '../backends/slots/connection-slots.ts';
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
  readonly #slots: ConnectionSlots;
  #slot: ConnectionSlot | null = null;
  /** Set when the slot has waited for the client. */
  #hold: Hold | null = null;
  #leaveQueue: (() => void) | null = null;
  /** How many requests the backend had responded to when this one was sent. */
  #responsesBefore = 0;

  constructor(user: SlotUser, slots: ConnectionSlots) {
    this.#user = user;
    this.#slots = slots;
  }

  /**
   * @param site as `siteOf` returns it
   * @param client as `clientKey` returns it
   * @param now ms
   * @returns false when the slot comes later: see `onSlot`
   */
  take({ slots }: BackendState, site: string, client: string, now: number): boolean {
    this.#slot = this.#slots.enter(slots, site, client, now);
    if (this.#slot !== null) return true;
    this.#leaveQueue = this.#slots.wait(slots, site, client, now, this.#onTurn);
    return false;
  }

  /** The request is sent. */
  onSend(): void {
    this.#responsesBefore = this.#slot?.backend.responseCount ?? 0;
  }

  /** The head of its response has come. @param sentAt when it was sent, ms */
  onResponse(status: number, sentAt: number, now: number): void {
    this.#slot?.backend.responded(status, sentAt, now);
    this.#hold?.stop();
  }

  /** The backend has responded to other requests since this one was sent. */
  get hasRespondedToOthers(): boolean {
    return this.#slot !== null && this.#slot.backend.responseCount !== this.#responsesBefore;
  }

  /** The slot waits for the client from now on. @param bodyBytes of the request's body so far */
  awaitClient(bodyBytes: number, now: number): void {
    this.#hold ??= this.#slot?.hold(this.#onNeeded) ?? null;
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
  handOver(): ConnectionSlot | null {
    const slot = this.#slot;
    this.#slot = null;
    return slot;
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

  readonly #onTurn = (slot: ConnectionSlot): void => {
    this.#leaveQueue = null;
    this.#slot = slot;
    this.#user.onSlot();
  };

  readonly #onNeeded = (): void => this.#user.onSlotNeeded();
}
