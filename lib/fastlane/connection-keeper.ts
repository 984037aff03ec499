import type { Activity } from '../core/limits/activity.ts';

/** A client's connection, as the lane sees it. */
export interface LaneConnection {
  /** Closes the connection if it waits for a next request. */
  closeIdle(): void;
  /** Destroys the connection if an exchange is under way. */
  cutBusy(): void;
}

/** Keeps the connections of the lane, and counts their exchanges. */
export interface ConnectionKeeper {
  /** A connection has begun an exchange. */
  onBusy(): void;
  /** The exchange was handed off to the full lane. */
  onHandedOff(): void;
  /** The exchange has ended. @param wasHandedOff to the full lane, which counted it, too */
  onIdle(wasHandedOff: boolean): void;
  /** The connection was closed, or given to the full lane. */
  onGone(connection: LaneConnection): void;
}

/** Reports the changes of one connection between busy and idle: to the lane, and to the limit of connections. */
export class BusyReport {
  readonly #keeper: ConnectionKeeper;
  readonly #activity: Activity | null;
  #isBusy = false;
  #isHandedOff = false;

  constructor(keeper: ConnectionKeeper, activity: Activity | null) {
    this.#keeper = keeper;
    this.#activity = activity;
  }

  /** Idempotent. @param isBusy an exchange is under way, or its response is not written whole */
  set(isBusy: boolean): void {
    if (isBusy === this.#isBusy) return;
    this.#isBusy = isBusy;
    if (isBusy) {
      this.#activity?.busy();
      this.#keeper.onBusy();
    } else {
      this.#activity?.idle();
      this.#keeper.onIdle(this.#isHandedOff);
      this.#isHandedOff = false;
    }
  }

  /** The exchange that is under way goes to the full lane. Once an exchange. */
  handOff(): void {
    this.#isHandedOff = true;
    this.#keeper.onHandedOff();
  }
}
