import { Pace } from '../core/limits/pace.ts';
import type { Hold } from '../backends/slots/slot-hold.ts';
import type { BackendUser } from '../backends/http1/backend-connection.ts';
import type { EarlyBackend, ConnectionOwner, OwnedConnection } from './connection-owner.ts';
import { isFull, send } from '../http1/send.ts';
import type { LaneShared } from './shared.ts';

/**
 * Handles the rest of a request's body after the response was sent. A backend that still reads gets it; otherwise it
 * is read and dropped, so that the client is not reset before it has read the response. Limits: `timeouts.body` for
 * each part and the minimum rate for the client; `timeouts.firstByte` for a backend that reads nothing. When other
 * requests need the backend's slot, a slow upload is cut off from the backend.
 */
export class BodyRemainder implements ConnectionOwner, BackendUser {
  readonly #client: OwnedConnection;
  readonly #shared: LaneShared;
  readonly #isLast: boolean;
  #backend: EarlyBackend | null;
  readonly #pace: Pace;
  #isBlocked = false;
  readonly #hold: Hold | null;

  /** @param isLast close the client's connection afterwards */
  constructor(client: OwnedConnection, shared: LaneShared, isLast: boolean, backend: EarlyBackend | null) {
    const { limits, now } = shared.parts;
    this.#client = client;
    this.#shared = shared;
    this.#isLast = isLast;
    this.#backend = backend;
    this.#pace = new Pace(limits.bodyMinRate, now(), client.bodyBytes);
    const socket = backend?.connection.socket ?? null;
    if (backend !== null) backend.connection.user = this;
    this.#hold = backend?.slot?.hold(() => this.#giveUp()) ?? null;
    socket?.resume();
    this.#isBlocked = socket !== null && isFull(socket);
    this.#holdUp();
    this.#wait();
    if (!this.#isBlocked) client.resume();
  }

  onBody(bytes: Buffer | null, isWhole: boolean): void {
    const { now } = this.#shared.parts;
    const { limits, bodyBytes: total } = this.#client;
    if (limits.bodyBytes > 0 && total > limits.bodyBytes) this.#giveUp();
    const socket = this.#backend?.connection.socket ?? null;
    const isFlowing = bytes === null || socket === null || send(socket, bytes, this.#client.output.clientKey);
    if (isWhole) return this.#end();
    if (this.#pace.isTooSlow(total, now())) return this.#cut();
    if (!isFlowing) {
      this.#isBlocked = true;
      this.#client.pause();
    }
    if (this.#isBlocked) this.#hold?.stop();
    else this.#hold?.onBytes(total, now());
    this.#wait();
  }

  onBadBody(): void {
    this.#cut();
  }

  onClientDrained(): void {}

  onClientGone(): void {
    this.#giveUp();
  }

  onTimeout(): void {
    if (this.#isBlocked) this.#giveUp();
    else this.#cut();
  }

  onConnected(): void {}

  /** The bytes belong to no request: the backend has misread the body. */
  onBackendBytes(): void {
    this.#giveUp();
  }

  onBackendDrained(): void {
    if (this.#isBlocked) this.#unblock();
  }

  onBackendEnd(): void {
    this.#giveUp();
  }

  onBackendGone(): void {
    this.#giveUp();
  }

  /** From now on the slot waits for the client, unless the backend is blocked. */
  #holdUp(): void {
    if (this.#isBlocked) this.#hold?.stop();
    else this.#hold?.begin(this.#shared.parts.now(), this.#client.bodyBytes);
  }

  #wait(): void {
    const { parts, clock } = this.#shared;
    const { bodyMs, firstByteMs } = this.#client.limits;
    if (this.#isBlocked) this.#pace.blocked(parts.now());
    this.#client.due = clock.after(this.#isBlocked ? firstByteMs : bodyMs);
  }

  #unblock(): void {
    this.#isBlocked = false;
    this.#holdUp();
    this.#wait();
    this.#client.resume();
  }

  /** The backend gets no more of the body. What still comes is dropped. */
  #giveUp(): void {
    const backend = this.#backend;
    if (backend === null) return;
    this.#backend = null;
    this.#hold?.end();
    backend.connection.destroy();
    backend.slot?.leave();
    if (this.#isLast) this.#client.finished(true, null);
    else if (this.#isBlocked) this.#unblock();
  }

  #cut(): void {
    const { connection, slot } = this.#backend ?? {};
    this.#backend = null;
    this.#hold?.end();
    connection?.destroy();
    slot?.leave();
    this.#client.cut();
  }

  /** The body is complete. */
  #end(): void {
    const backend = this.#backend;
    this.#backend = null;
    this.#hold?.end();
    if (backend !== null) this.#flush(backend);
    this.#client.finished(this.#isLast, null);
  }

  /** Keeps or closes the backend's connection once its write buffer is empty. */
  #flush(backend: EarlyBackend): void {
    const { connection } = backend;
    const { socket } = connection;
    connection.user = null;
    if (socket === null || socket.writableLength === 0) return this.#release(backend);
    connection.due = this.#shared.clock.after(this.#client.limits.firstByteMs);
    socket.write('', () => this.#release(backend));
  }

  #release({ connection, slot, keepMs, responseBytes }: EarlyBackend): void {
    if (keepMs !== null && connection.isOpen) this.#shared.pool.release(connection, responseBytes, keepMs);
    else connection.destroy();
    slot?.leave();
  }
}
