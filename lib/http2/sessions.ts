import type { Socket } from 'node:net';
import type { Activity } from '../core/limits/activity.ts';
import type { Peer } from '../core/http/forwarded.ts';
import type { Http2Parts } from './parts.ts';
import { Session } from './session.ts';

/** How often sessions are checked, ms. Their limits are whole seconds. */
const TICK_MS = 250;

/** The HTTP/2 sessions of one listener. */
export class Sessions {
  readonly #parts: Http2Parts;
  readonly #all = new Set<Session>();
  #timer: NodeJS.Timeout | null = null;
  #isLeaving = false;
  #onEmpty: (() => void) | null = null;

  constructor(parts: Http2Parts) {
    this.#parts = parts;
  }

  /** Serves a connection whose client speaks HTTP/2. Bytes that were read of it must have been put back. */
  admit(socket: Socket, peer: Peer, activity: Activity): void {
    const session = new Session(socket, peer, activity, this.#parts, (gone) => this.#remove(gone));
    this.#all.add(session);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
    if (this.#isLeaving) session.leave();
  }

  get size(): number {
    return this.#all.size;
  }

  /** The number of adapters of all sessions: for open streams and for next ones. */
  get streams(): number {
    let streams = 0;
    for (const session of this.#all) streams += session.streams;
    return streams;
  }

  /** Closes each session as soon as it is idle, later ones included. */
  leave(): void {
    this.#isLeaving = true;
    for (const session of this.#all) session.leave();
  }

  /** Closes sessions without streams, and takes no further streams in the others. */
  close(): void {
    for (const session of this.#all) session.close();
  }

  /** Resolves when no session is open. */
  async ended(): Promise<void> {
    if (this.#all.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  #remove(session: Session): void {
    this.#all.delete(session);
    if (this.#all.size > 0) return;
    clearInterval(this.#timer ?? undefined);
    this.#timer = null;
    this.#onEmpty?.();
  }

  #tick(): void {
    for (const session of this.#all) session.check();
  }
}
