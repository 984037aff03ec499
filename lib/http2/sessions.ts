import type { Socket } from 'node:net';
import type { Activity } from '../core/limits/activity.ts';
import type { Peer } from '../core/http/forwarded.ts';
import type { Http2Parts } from './parts.ts';
import { Session } from './session.ts';

/** How often sessions are looked at, ms. Limits are whole seconds, so this is noise. */
const TICK_MS = 250;

/** The HTTP/2 connections that came in by one listener. */
export class Sessions {
  readonly #parts: Http2Parts;
  readonly #all = new Set<Session>();
  #timer: NodeJS.Timeout | null = null;
  #isLeaving = false;
  #onEmpty: (() => void) | null = null;

  constructor(parts: Http2Parts) {
    this.#parts = parts;
  }

  /** Serves a connection whose client speaks HTTP/2. Bytes that were read ahead have been put back. */
  admit(socket: Socket, peer: Peer, activity: Activity): void {
    const session = new Session(socket, peer, activity, this.#parts, (gone) => this.#remove(gone));
    this.#all.add(session);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
    if (this.#isLeaving) session.leave();
  }

  get size(): number {
    return this.#all.size;
  }

  /** Connections inside of all sessions: for the streams there are, and for next ones. */
  get streams(): number {
    let streams = 0;
    for (const session of this.#all) streams += session.streams;
    return streams;
  }

  /** Closes sessions as soon as they rest, those too that still come. */
  leave(): void {
    this.#isLeaving = true;
    for (const session of this.#all) session.leave();
  }

  /** Closes sessions without streams, and takes no further ones in the others. */
  close(): void {
    for (const session of this.#all) session.close();
  }

  /** Resolves when there is none any more. */
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
