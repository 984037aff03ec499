import type { RequestLimits } from '../core/limits/exchange-limits.ts';
import type { ConnectionSlot } from '../backends/slots/backend-slots.ts';
import type { HandoffState } from '../core/routing/types.ts';
import type { BackendConnection } from '../backends/http1/backend-connection.ts';
import type { ClientOutput } from './client-output.ts';
import type { HeadWriter } from './head-writer.ts';
import type { HeldPart } from './held-body.ts';
import type { ReadRequest } from './request-grammar.ts';

/** A backend that has responded early, and whose connection may still take the rest of the request's body. */
export interface EarlyBackend {
  readonly connection: BackendConnection;
  /** Its connection slot, held for as long as the connection is used. */
  readonly slot: ConnectionSlot | null;
  /** For how long the backend keeps its idle connection, ms; null when it must be closed. */
  readonly keepMs: number | null;
  /** Bytes of the response's body. */
  readonly responseBytes: number;
}

/** What currently uses a client's connection: a FastExchange, a HandoffStream, or a BodyRemainder. */
export interface ConnectionOwner {
  /** A part of the request's body, validated. @param isWhole the body is complete */
  onBody(bytes: Buffer | null, isWhole: boolean): void;
  /** The body is malformed. @param rest the unparsed bytes from there on */
  onBadBody(rest: Buffer): void;
  /** The client has read what was written, or part of it if its output is still `isBlocked`. */
  onClientDrained(): void;
  /** The client has left. No other method is called after this. */
  onClientGone(): void;
  /** The time limit has passed. */
  onTimeout(): void;
}

/** A client's connection, as its owner sees it. */
export interface OwnedConnection {
  /** When `onTimeout` is called, on the clock's scale; Infinity for never. */
  due: number;
  /** Those of the request under way: of its site, once it is known. */
  limits: RequestLimits;
  readonly writer: HeadWriter;
  readonly output: ClientOutput;
  /** Bytes of the request's body so far, chunk framing left out. */
  readonly bodyBytes: number;
  /** Stops reading the request's body until `resume`. */
  pause(): void;
  resume(): void;
  /**
   * The response was written.
   * @param isLast close the connection
   * @param backend gets the rest of the request's body; null when the rest is dropped
   */
  finished(isLast: boolean, backend: EarlyBackend | null): void;
  /** Hands the request off to the full lane. @param held the part of its body that was read */
  handOff(request: ReadRequest, handoff: HandoffState, held: readonly HeldPart[]): void;
  /** Destroys the connection: the client must not take a partial response for a whole one. */
  cut(): void;
}
