import type { Duplex } from 'node:stream';
import { breakOff } from '../backends/http2/websocket.ts';
import { Timer, type TimeLimits } from '../clock/time-limits.ts';
import type { ReadAccepted } from '../http1/read-buffer.ts';
import { isFull, send } from '../http1/send.ts';
import type { Exchange } from './exchange.ts';

/** How long the other side may take to close after one side has, ms. */
const CLOSING_MS = 5_000;

export interface TunnelParts {
  readonly clock: TimeLimits;
  /** Makes a socket of either side read into the shared buffer, where this Node can. */
  readonly readAccepted: ReadAccepted;
}

/**
 * Relays bytes between a client's socket and a backend's socket or stream, with backpressure, until both have ended. An
 * error of one side destroys both; a side that ends lets the other finish. Idle tunnels are many: each has as few objects
 * as possible.
 */
class Tunnel {
  readonly #exchange: Exchange;
  readonly #client: Duplex;
  readonly #backend: Duplex;
  readonly #clock: TimeLimits;
  readonly #idleMs: number;
  readonly #timer: Timer;
  #isClosing = false;

  constructor(exchange: Exchange, client: Duplex, backend: Duplex, { clock }: TunnelParts, idleMs: number) {
    this.#exchange = exchange;
    this.#client = client;
    this.#backend = backend;
    this.#clock = clock;
    this.#idleMs = idleMs;
    this.#timer = new Timer(this.destroy);
  }

  begin(readAccepted: ReadAccepted): void {
    const { destroy } = this;
    const [client, backend] = [this.#client, this.#backend];
    client
      .on('error', destroy)
      .on('drain', () => backend.resume())
      .once('end', () => endOnce(backend))
      .once('close', () => this.#onClosed(backend));
    backend
      .on('error', destroy)
      .on('drain', () => client.resume())
      .once('end', () => endOnce(client))
      .once('close', () => this.#onClosed(client));
    this.#clock.set(this.#timer, this.#idleMs);
    read(client, (bytes) => this.#relay(client, backend, bytes), readAccepted, backend);
    read(
      backend,
      (bytes) => {
        this.#exchange.bytesSent += bytes.length;
        this.#relay(backend, client, bytes);
      },
      readAccepted,
      client,
    );
  }

  /** The exchange has ended: the client's side is closed. */
  end(): void {
    this.#clock.clear(this.#timer);
    breakOff(this.#backend);
  }

  readonly destroy = (): void => {
    breakOff(this.#client);
    breakOff(this.#backend);
  };

  #relay(from: Duplex, to: Duplex, bytes: Buffer): void {
    if (this.#isClosing) return;
    this.#clock.set(this.#timer, this.#idleMs);
    if (!to.writableEnded && !send(to, bytes)) from.pause();
  }

  #onClosed(other: Duplex): void {
    this.#isClosing = true;
    endOnce(other);
    if (other.destroyed) return;
    this.#clock.set(this.#timer, CLOSING_MS);
    // What it sends is dropped, but only reading shows its end.
    other.resume();
  }
}

/**
 * Joins both sides of a WebSocket.
 * @param idleMs time without bytes in both directions after which the tunnel is closed; 0 is no limit
 */
export function join(exchange: Exchange, client: Duplex, backend: Duplex, parts: TunnelParts, idleMs: number): void {
  const tunnel = new Tunnel(exchange, client, backend, parts, idleMs);
  tunnel.begin(parts.readAccepted);
  exchange.onInterrupt = tunnel.destroy;
  void exchange.ended.then(() => tunnel.end());
}

/** Reads one side, and first what its stream has read already. @param to the other side, which may be full */
function read(from: Duplex, onBytes: (bytes: Buffer) => void, readAccepted: ReadAccepted, to: Duplex): void {
  const isShared = readAccepted(from, onBytes) !== null;
  const first = isShared && from.readableLength > 0 ? (from.read() as Buffer | null) : null;
  if (!isShared) from.on('data', onBytes);
  if (first !== null) onBytes(first);
  if (isFull(to)) from.pause();
  else from.resume();
}

function endOnce(side: Duplex): void {
  if (!side.writableEnded) side.end();
}
