/** Responses whose clients read slowly, held in memory so that their backends are free. */
import { Shares } from './shares.ts';

/** Of one response, bytes. */
const RESPONSE_BYTES = 262_144;
/** What a piece costs besides its bytes. */
const PIECE_BYTES = 128;
/** So many pieces that were taken are kept in the list at most. */
const TAKEN_PIECES = 64;
/** Of all responses of a worker, bytes. */
const TOTAL_BYTES = 33_554_432;

/** Bounds what all spools of a worker hold, bytes, and shares that among clients. */
export class SpoolBudget extends Shares {
  constructor(total = TOTAL_BYTES) {
    super(total);
  }
}

/** What of a response its client has not taken yet, in order. */
export class Spool<Piece extends { readonly length: number }> {
  readonly #budget: SpoolBudget;
  readonly #client: string;
  #pieces: Piece[] = [];
  #first = 0;
  #bytes = 0;

  /** @param client as `clientKey` says */
  constructor(budget: SpoolBudget, client: string) {
    this.#budget = budget;
    this.#client = client;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** Whether the backend is to wait: the next piece would be too much. */
  get isFull(): boolean {
    return this.#bytes >= RESPONSE_BYTES || this.#budget.isSpent(this.#client);
  }

  push(piece: Piece): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.#count(piece.length + PIECE_BYTES);
  }

  /** The oldest piece, which is not held any more; undefined when there is none. */
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

  /** Forgets all that it holds. */
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
