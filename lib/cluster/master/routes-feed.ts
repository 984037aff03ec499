import { pieceAt, type Piece } from '../../store/file/pieces.ts';

interface Progress {
  /** What it is sent, or was sent last. */
  readonly image: Uint8Array;
  /** How much of it has been sent, bytes. */
  sent: number;
  /** Whether it has asked for a piece and was not sent one. */
  isWaiting: boolean;
}

/**
 * Brings the routes to all workers, each at its own pace: a piece is sent when it is asked for. A worker that was given
 * all waits for the next image; one that is still being given an image is given the rest of it, then the newest. So
 * edits in quick succession starve nobody, and what is on its way to a worker that does not listen is one piece.
 */
export class RoutesFeed<Worker> {
  readonly #send: (worker: Worker, piece: Piece) => void;
  readonly #progress = new Map<Worker, Progress>();
  #image: Uint8Array;

  /** @param image the routes now */
  constructor(image: Uint8Array, send: (worker: Worker, piece: Piece) => void) {
    this.#image = image;
    this.#send = send;
  }

  /** The routes are others. */
  replace(image: Uint8Array): void {
    this.#image = image;
    for (const [worker, progress] of this.#progress) {
      if (progress.isWaiting) this.want(worker);
    }
  }

  /** A worker wants a piece: it is sent now, or when there are new routes. */
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

  /** A worker has ended. */
  forget(worker: Worker): void {
    this.#progress.delete(worker);
  }
}
