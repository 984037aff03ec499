import type { ClientStream } from '../http1/client-stream.ts';
import { LINGER_MS } from '../core/limits/client-limits.ts';
import { Pace } from '../core/limits/pace.ts';
import type { RequestLimits } from '../core/limits/exchange-limits.ts';
import type { ClientInput } from './client-input.ts';
import type { BusyReport } from './connection-keeper.ts';
import type { LaneShared } from './shared.ts';

/** The connection that is closed. */
export interface LingeringClient {
  due: number;
  /** Of its last request. */
  readonly limits: RequestLimits;
  readonly socket: ClientStream;
}

/**
 * Closes a client's connection in steps (RFC 9112 §9.6). Our side is ended once all that was written is away. Then what
 * the client still sends is read and dropped for a while: otherwise it would be reset, and could lose the response.
 * The rest of a request's body has `timeouts.body` for each part, and must keep up the minimum rate.
 */
export class LingeringClose {
  readonly #client: LingeringClient;
  readonly #input: ClientInput;
  readonly #busy: BusyReport;
  readonly #shared: LaneShared;
  /** Set while the rest of a body is read. */
  #pace: Pace | null = null;

  constructor(client: LingeringClient, input: ClientInput, busy: BusyReport, shared: LaneShared) {
    this.#client = client;
    this.#input = input;
    this.#busy = busy;
    this.#shared = shared;
  }

  begin(): void {
    const { clock } = this.#shared;
    const { socket } = this.#client;
    this.#client.due = clock.after(this.#client.limits.responseMs);
    socket.end(this.#onEnded);
    socket.resume();
  }

  /** The client sends on. */
  onBytes(bytes: Buffer): void {
    const pace = this.#pace;
    if (pace === null) return;
    const { clock, parts } = this.#shared;
    const { body } = this.#input;
    const isMalformed = body.read(bytes, 0) < 0;
    if (isMalformed || body.isDone) {
      this.#pace = null;
      this.#linger();
    } else if (pace.isTooSlow(body.payload, parts.now())) {
      this.#client.socket.destroy();
    } else {
      this.#client.due = clock.after(this.#client.limits.bodyMs);
    }
  }

  /** All was written, and our side is ended. */
  readonly #onEnded = (): void => {
    if (this.#client.socket.destroyed) return;
    const { clock, parts } = this.#shared;
    const { body, isBodyLost } = this.#input;
    if (body.isDone || isBodyLost) return this.#linger();
    this.#pace = new Pace(this.#client.limits.bodyMinRate, parts.now(), body.payload);
    this.#client.due = clock.after(this.#client.limits.bodyMs);
  };

  #linger(): void {
    this.#busy.set(false);
    this.#client.due = this.#shared.clock.after(LINGER_MS);
  }
}
