import type { ConnectionSlot } from '../backends/slots/connection-slots.ts';
import type { HandoffState } from '../core/routing/types.ts';
import type { BackendConnection } from '../backends/http1/backend-connection.ts';
import type { ClientOutput } from './client-output.ts';
import type { HeadWriter } from './head-writer.ts';
import type { HeldPart } from './held-body.ts';
import type { ReadRequest } from './request-grammar.ts';

/** A backend that has answered, and whose connection may still take the rest of the request's body. */
export interface EarlyBackend {
  readonly connection: BackendConnection;
  /** Its connection slot, held for as long as the connection is used. */
  readonly slot: ConnectionSlot | null;
  /** For how long the backend keeps the connection after its answer, ms; null when it is not to be kept. */
  readonly keepMs: number | null;
  /** Of the answer's body. */
  readonly responseBytes: number;
}

/** Who has a client's connection at the moment: a passage, or the full lane by way of a loan. */
export interface ConnectionOwner {
  /** A part of the request's body, validated. @param isWhole nothing of it is left to come */
  onBody(bytes: Buffer | null, isWhole: boolean): void;
  /** What comes is not the body that the head announced. @param rest from there on, as it came */
  onBadBody(rest: Buffer): void;
  /** The client has taken some of what was written: all of it, unless its output `isBlocked` still. */
  onClientDrained(): void;
  /** The client has left. Called once, and nothing after it. */
  onClientGone(): void;
  /** What was awaited has not come in time. */
  onTimeout(): void;
}

/** A client's connection, as its owner sees it. */
export interface OwnedConnection {
  /** When `ring` is to be called, on the clock's scale; Infinity for never. */
  due: number;
  readonly writer: HeadWriter;
  readonly output: ClientOutput;
  /** Bytes of the request's body so far, chunk framing left out. */
  readonly bodyBytes: number;
  /** Reads nothing more of the request's body for now. */
  pause(): void;
  resume(): void;
  /**
   * The answer is through.
   * @param isLast the connection is to be closed
   * @param backend takes the rest of the request's body; null where nothing does
   */
  finished(isLast: boolean, backend: EarlyBackend | null): void;
  /** The full lane is to go on with the request. @param held its body, as far as it was read */
  handOff(request: ReadRequest, handoff: HandoffState, held: readonly HeldPart[]): void;
  /** Ends the connection so that what the client got does not look complete. */
  cut(): void;
}
