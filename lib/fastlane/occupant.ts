import type { Prior } from '../core/types.ts';
import type { HeadWriter } from './head-writer.ts';
import type { HeldPart } from './held-body.ts';
import type { ReadRequest } from './request-grammar.ts';

/** Who has a client's connection at the moment: a passage, or the full lane by way of a loan. */
export interface Occupant {
  /** A part of the request's body, validated. @param isWhole nothing of it is left to come */
  onBody(bytes: Buffer | null, isWhole: boolean): void;
  /** What comes is not the body that the head announced. @param rest from there on, as it came */
  onBadBody(rest: Buffer): void;
  /** What was written to the client has gone; more may be. */
  onClientDrained(): void;
  /** The client has left. Called once, and nothing after it. */
  onClientGone(): void;
  /** What was awaited has not come in time. */
  ring(): void;
}

/** A client's connection, as its occupant sees it. */
export interface OccupiedClient {
  /** When `ring` is to be called, on the clock's scale; Infinity for never. */
  due: number;
  readonly writer: HeadWriter;
  /** Bytes of the request's body so far, chunk framing left out. */
  readonly bodyBytes: number;
  /** Writes latin1, then bytes. @returns false when the client takes no more for now */
  write(text: string, bytes: Buffer | null): boolean;
  /** Reads nothing more of the request's body for now. */
  pause(): void;
  resume(): void;
  /** The exchange is over. @param isLast so is the connection */
  passed(isLast: boolean): void;
  /** The full lane is to go on with the request. @param held its body, as far as it was read */
  lend(request: ReadRequest, prior: Prior, held: readonly HeldPart[]): void;
  /** Ends the connection so that what the client got does not look complete. */
  cut(): void;
}
