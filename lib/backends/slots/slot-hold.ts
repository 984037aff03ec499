/** An upload that brings so many bytes is not slow: the time for which it has held its slot begins anew. */
const SLOW_BYTES = 16_384;

/** The slots of one client that may wait for it, in the order in which they were taken. */
export interface HoldOwner {
  readonly holds: Set<Hold> | null;
}

/** The time for which a slot waits for its client: to send more of a request's body, or to take more of a response. */
export class Hold {
  /** Since when it waits, ms; Infinity while it does not. */
  since = Infinity;
  readonly giveUp: () => void;
  readonly #owner: HoldOwner;
  /** Bytes of the body at that time. */
  #bytes = 0;

  constructor(owner: HoldOwner, giveUp: () => void) {
    this.#owner = owner;
    this.giveUp = giveUp;
  }

  /** The slot waits for its client from now on. @param bytes of the request's body so far */
  begin(now: number, bytes = 0): void {
    this.since = now;
    this.#bytes = bytes;
  }

  /** More of the request's body has come, and yet more is awaited. @param bytes so far */
  onBytes(bytes: number, now: number): void {
    if (this.since === Infinity || bytes - this.#bytes >= SLOW_BYTES) this.begin(now, bytes);
  }

  /** The client has read some of the response. @param isBlocked it has not read all that was written */
  onRead(isBlocked: boolean, now: number): void {
    if (this.since === Infinity) return;
    if (isBlocked) this.begin(now);
    else this.stop();
  }

  /** The slot does not wait for its client for now. */
  stop(): void {
    this.since = Infinity;
  }

  /** It will not wait for its client any more. Idempotent. */
  end(): void {
    this.#owner.holds?.delete(this);
  }
}
