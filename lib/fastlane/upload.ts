import type { Socket } from 'node:net';
import { Pace } from '../core/limits/pace.ts';
import { HeldBody, type HeldPart } from './held-body.ts';
import type { OwnedConnection } from './connection-owner.ts';
import type { ReadRequest } from './request-grammar.ts';
import { send, sendRequest } from '../http1/send.ts';
import type { LaneShared } from './shared.ts';

/**
 * Sends a request's body to a backend, at the pace of the slower side, as long as the client keeps up the minimum
 * rate. One for each client's connection, reused for each request.
 */
export class Upload {
  readonly #client: OwnedConnection;
  readonly #shared: LaneShared;
  readonly #held = new HeldBody();
  #pace: Pace | null = null;
  /** The body is complete. */
  isWhole = true;
  /** The backend reads no more for now. */
  isBlocked = false;

  constructor(client: OwnedConnection, shared: LaneShared) {
    this.#client = client;
    this.#shared = shared;
  }

  /** Prepares for the body of the next request, which may have none. */
  start({ framing, length }: ReadRequest): void {
    this.isWhole = framing === 'none' || (framing === 'length' && length === 0);
    this.isBlocked = false;
    this.#held.clear();
  }

  /** Enough of the body has come to choose a backend. */
  get isReady(): boolean {
    return this.isWhole || this.#held.isMuch;
  }

  /** Part of the body was sent and not kept: the request cannot be sent again. */
  get isLost(): boolean {
    return this.#held.isLost;
  }

  /** The parts that were kept. */
  get held(): readonly HeldPart[] {
    return this.#held.parts;
  }

  /** A part has come. @param isSent `pass` sends it to a backend now */
  take(bytes: Buffer | null, isWhole: boolean, isSent: boolean): void {
    this.isWhole = isWhole;
    if (bytes !== null) this.#held.add(bytes, isSent);
  }

  /** Pauses reading until there is a backend. */
  wait(): void {
    if (!this.isWhole) this.#client.pause();
  }

  /** Sends the head and the kept parts, resumes reading, and sets the time limit for what is awaited next. */
  begin(socket: Socket, head: string): void {
    this.isBlocked = !sendRequest(socket, head, this.#held.parts);
    if (this.isWhole) return this.#awaitResponse();
    const { limits, now } = this.#shared.parts;
    this.#pace = new Pace(limits.bodyMinRate, now());
    this.#awaitRest();
    if (!this.isBlocked) this.#client.resume();
  }

  /**
   * Sends a part that has come.
   * @param socket null when the backend wants no more
   * @param isTimed no response has begun: the time limits apply
   * @returns false when the body comes too slowly
   */
  pass(socket: Socket | null, bytes: Buffer | null, isTimed: boolean): boolean {
    const isFlowing = bytes === null || socket === null || send(socket, bytes, this.#client.output.clientKey);
    if (this.isWhole) {
      if (isTimed) this.#awaitResponse();
      return true;
    }
    if (isTimed && this.#pace?.isTooSlow(this.#client.bodyBytes, this.#shared.parts.now())) return false;
    if (!isFlowing) {
      this.isBlocked = true;
      this.#client.pause();
    }
    if (isTimed) this.#awaitRest();
    return true;
  }

  /** The backend reads again. @param isTimed as in `pass` */
  drained(isTimed: boolean): void {
    if (this.isWhole || !this.isBlocked) return;
    this.isBlocked = false;
    if (isTimed) this.#awaitRest();
    this.#client.resume();
  }

  /** Drops the kept parts. */
  end(): void {
    this.#pace = null;
    this.#held.clear();
  }

  #awaitResponse(): void {
    const { clock } = this.#shared;
    this.#client.due = clock.after(this.#client.limits.firstByteMs);
  }

  /** Limits the wait for the next part: by the client, or by a backend that is blocked. */
  #awaitRest(): void {
    const { parts, clock } = this.#shared;
    const { bodyMs, firstByteMs } = this.#client.limits;
    if (this.isBlocked) this.#pace?.blocked(parts.now());
    this.#client.due = clock.after(this.isBlocked ? firstByteMs : bodyMs);
  }
}
