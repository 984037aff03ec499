/** Holds responses for slow clients in memory, so that backends are free. */
import { Shares } from './shares.ts';

/** Maximum for one response, bytes. */
const RESPONSE_BYTES = 262_144;
/** Overhead of a piece, bytes. */
const PIECE_BYTES = 128;
/** Maximum number of removed pieces left in the list. */
const TAKEN_PIECES = 64;
/** Maximum for all responses of a worker, bytes. */
const TOTAL_BYTES = 33_554_432;

/** Limits the bytes in all spools of a worker, shared among clients. */
export class SpoolBudget extends Shares {
  constructor(total = TOTAL_BYTES) {
    super(total);
  }
}

/** The part of a response that its client has not read yet, in order. */
export class Spool<Piece extends { readonly length: number }> {
  readonly #budget: SpoolBudget;
  readonly #client: string;
  #pieces: Piece[] = [];
  #first = 0;
  #bytes = 0;

  /** @param client as `clientKey` returns it */
  constructor(budget: SpoolBudget, client: string) {
    this.#budget = budget;
    this.#client = client;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** Whether the backend has to wait: the next piece would be too much. */
  get isFull(): boolean {
    return this.#bytes >= RESPONSE_BYTES || this.#budget.isSpent(this.#client);
  }

  push(piece: Piece): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.#count(piece.length + PIECE_BYTES);
  }

  /** Removes and returns the oldest piece; undefined when there is none. */
  shift(): Piece | undefined {
    const piece = this.#pieces[this.#first];
    if (piece === undefined) return undefined;
    this.#first++;
    this.#count(-piece.length - PIECE_BYTES);
    if (this.#first === this.#pieces.length || this.#first === TAKEN_PIECES) {
      this.#pieces.splice(0, this.#first);
      this.#first = 0;
    }
    return piece;
  }

  /** Drops all pieces. */
  clear(): void {
    if (this.#bytes > 0) this.#count(-this.#bytes);
    this.#pieces = [];
    this.#first = 0;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#budget.add(this.#client, bytes);
  }
}
