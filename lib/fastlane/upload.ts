import type { Socket } from 'node:net';
import { Pace } from '../core/limits/pace.ts';
import { HeldBody, type HeldPart } from './held-body.ts';
import type { OwnedConnection } from './connection-owner.ts';
import type { ReadRequest } from './request-grammar.ts';
import { send, sendRequest } from './send.ts';
import type { LaneShared } from './shared.ts';

/**
 * A request's body on its way to a backend: as fast as that takes it, and as long as the client keeps up its pace. One
 * for each client's connection, used again and again.
 */
export class Upload {
  readonly #client: OwnedConnection;
  readonly #shared: LaneShared;
  readonly #held = new HeldBody();
  #pace: Pace | null = null;
  /** All of it has come. */
  isWhole = true;
  /** The backend takes no more of it for now. */
  isBlocked = false;

  constructor(client: OwnedConnection, shared: LaneShared) {
    this.#client = client;
    this.#shared = shared;
  }

  /** Awaits the body of a next request, which may have none. */
  start({ framing, length }: ReadRequest): void {
    this.isWhole = framing === 'none' || (framing === 'length' && length === 0);
    this.isBlocked = false;
    this.#held.clear();
  }

  /** There is enough of it to begin: whoever sends the rest is not slow. */
  get isReady(): boolean {
    return this.isWhole || this.#held.isMuch;
  }

  /** Some was sent that could not be sent again. */
  get isLost(): boolean {
    return this.#held.isLost;
  }

  /** What has come, as far as it was kept. */
  get held(): readonly HeldPart[] {
    return this.#held.parts;
  }

  /** A part has come. @param isSent it goes to a backend at once: see `pass` */
  take(bytes: Buffer | null, isWhole: boolean, isSent: boolean): void {
    this.isWhole = isWhole;
    if (bytes !== null) this.#held.add(bytes, isSent);
  }

  /** Reads no more of it until there is a backend for it. */
  wait(): void {
    if (!this.isWhole) this.#client.pause();
  }

  /** Sends the head and what there is of the body, and reads on. Sets the limit for what is awaited then. */
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
   * @param socket null when it is not wanted any more
   * @param isTimed no answer has begun: the limits count
   * @returns false when the body comes too slowly
   */
  pass(socket: Socket | null, bytes: Buffer | null, isTimed: boolean): boolean {
    const isFlowing = bytes === null || socket === null || send(socket, bytes);
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

  /** The backend takes more. @param isTimed as above */
  drained(isTimed: boolean): void {
    if (this.isWhole || !this.isBlocked) return;
    this.isBlocked = false;
    if (isTimed) this.#awaitRest();
    this.#client.resume();
  }

  /** Forgets what it holds. */
  end(): void {
    this.#pace = null;
    this.#held.clear();
  }

  #awaitResponse(): void {
    const { parts, clock } = this.#shared;
    this.#client.due = clock.after(parts.limits.firstByteMs);
  }

  /** The next part is the client's to send in time, or the backend's to take while that takes nothing. */
  #awaitRest(): void {
    const { parts, clock } = this.#shared;
    const { bodyMs, firstByteMs } = parts.limits;
    if (this.isBlocked) this.#pace?.blocked(parts.now());
    this.#client.due = clock.after(this.isBlocked ? firstByteMs : bodyMs);
  }
}
