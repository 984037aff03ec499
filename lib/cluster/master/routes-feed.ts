import { pieceAt, type Piece } from '../../store/file/pieces.ts';

interface Progress {
  /** The image that it is being sent, or got last. */
  readonly image: Uint8Array;
  /** How many bytes of it were sent. */
  sent: number;
  /** Whether it has requested a piece and got none. */
  isWaiting: boolean;
}

/**
 * Sends the routes to all workers, piece by piece, each at its own pace: a worker requests the next piece. A worker
 * that has a whole image waits for the next image. One that is in the middle of an image gets the rest of it first, so
 * that frequent edits do not starve it. At most one piece is on its way to a worker.
 */
export class RoutesFeed<Worker> {
  readonly #send: (worker: Worker, piece: Piece) => void;
  readonly #progress = new Map<Worker, Progress>();
  #image: Uint8Array;

  /** @param image the current routes */
  constructor(image: Uint8Array, send: (worker: Worker, piece: Piece) => void) {
    this.#image = image;
    this.#send = send;
  }

  /** Sets a new image. */
  replace(image: Uint8Array): void {
    this.#image = image;
    for (const [worker, progress] of this.#progress) {
      if (progress.isWaiting) this.want(worker);
    }
  }

  /** A worker requests a piece. It is sent now, or when there are new routes. */
  want(worker: Worker): void {
    let progress = this.#progress.get(worker);
    if (progress === undefined || (progress.sent === progress.image.length && progress.image !== this.#image)) {
      progress = { image: this.#image, sent: 0, isWaiting: false };
      this.#progress.set(worker, progress);
    }
    const { image, sent } = progress;
    progress.isWaiting = sent === image.length;
    if (progress.isWaiting) return;
    const piece = pieceAt(image, sent);
    progress.sent += piece.bytes.length;
    this.#send(worker, piece);
  }

  /** Removes a worker that has exited. */
  forget(worker: Worker): void {
    this.#progress.delete(worker);
  }
}
