import type { Socket } from 'node:net';

/** Delay before the next address is tried in parallel, ms (RFC 8305 §5). */
const STAGGER_MS = 250;
/** Maximum number of addresses tried. */
const MOST = 16;

/** The dependencies of a race. `onWon` or `onLost` is called once, unless it is cancelled. */
export interface RaceParts {
  /** Begins to connect to an address. */
  readonly open: (address: string) => Socket;
  /** The socket is connected, and no listener of the race is left on it. */
  readonly onWon: (socket: Socket, address: string) => void;
  /** All addresses have failed. */
  readonly onLost: (cause: Error) => void;
  /** An address has failed, or lost to a later one. */
  readonly onLoser: (address: string) => void;
}

interface Runner {
  readonly address: string;
  readonly socket: Socket;
  readonly onError: (error: Error) => void;
}

/**
 * Connects to the first of several addresses that accepts ("Happy Eyeballs", RFC 8305 §5): the next one is tried when
 * one fails, or in parallel when it is slow. Without a time limit: the caller has one.
 */
export class Race {
  readonly #parts: RaceParts;
  readonly #addresses: readonly string[];
  readonly #errors: Error[] = [];
  /** In the order in which they began. */
  #running: Runner[] = [];
  #next = 0;
  #timer: NodeJS.Timeout | null = null;

  /** @param addresses in the order to try them, one at least */
  constructor(addresses: readonly string[], parts: RaceParts) {
    this.#addresses = addresses.slice(0, MOST);
    this.#parts = parts;
    this.#begin();
  }

  /** Cancels: no callback is called. */
  cancel(): void {
    this.#stopWaiting();
    this.#next = this.#addresses.length;
    for (const { socket } of this.#running.splice(0)) socket.destroy();
  }

  #begin(): void {
    this.#stopWaiting();
    const address = this.#addresses[this.#next++];
    if (address === undefined) return;
    const socket = this.#parts.open(address);
    const runner: Runner = { address, socket, onError: (error) => this.#onError(runner, error) };
    this.#running.push(runner);
    // The listener stays on losing sockets, whose errors are ignored.
    socket.on('error', runner.onError).once('connect', () => this.#onConnect(runner));
    if (this.#next < this.#addresses.length) this.#timer = setTimeout(() => this.#begin(), STAGGER_MS);
  }

  #onConnect(winner: Runner): void {
    if (!this.#running.includes(winner)) return;
    const earlier = this.#running.slice(0, this.#running.indexOf(winner));
    this.#running = this.#running.filter((runner) => runner !== winner);
    this.cancel();
    for (const { address } of earlier) this.#parts.onLoser(address);
    this.#parts.onWon(winner.socket.off('error', winner.onError), winner.address);
  }

  #onError(loser: Runner, error: Error): void {
    if (!this.#running.includes(loser)) return;
    this.#running = this.#running.filter((runner) => runner !== loser);
    this.#errors.push(error);
    this.#parts.onLoser(loser.address);
    if (this.#next < this.#addresses.length) this.#begin();
    else if (this.#running.length === 0) this.#parts.onLost(together(this.#errors));
  }

  #stopWaiting(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** Combines errors into one with all messages and the first code. */
function together(errors: readonly Error[]): Error {
  const [first] = errors;
  if (first !== undefined && errors.length === 1) return first;
  const { code } = (first ?? {}) as NodeJS.ErrnoException;
  return Object.assign(new AggregateError(errors, errors.map(({ message }) => message).join('; ')), { code });
}
