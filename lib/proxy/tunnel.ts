import type { Duplex } from 'node:stream';
import { breakOff } from '../backends/http2/websocket.ts';
import type { Timed, TimeLimits } from '../clock/time-limits.ts';
import { kept, type ReadAccepted } from '../http1/read-buffer.ts';
import { isFull, send } from '../http1/send.ts';
import type { FlowEnds, PacedFlow } from '../rates/paced-flow.ts';

/** How long the other side may take to close after one side has, ms. */
const CLOSING_MS = 5_000;

export interface TunnelParts {
  readonly clock: TimeLimits;
  /** Makes a socket of either side read into the shared buffer, where this Node can. */
  readonly readAccepted: ReadAccepted;
}

/** Opens what slows the bytes from the backend down; null where nothing does. */
type OpenFlow = (ends: FlowEnds) => PacedFlow | null;

/** The exchange that becomes a tunnel. */
export interface TunnelOwner {
  /** Bytes from the backend. */
  bytesSent: number;
  readonly clientKey: string;
  /** @param cut destroys both sides */
  becomeTunnel(cut: () => void): void;
}

/**
 * Relays bytes between a client's socket and a backend's socket or stream, with backpressure, until both have ended. An
 * error of one side destroys both; a side that ends lets the other finish. Idle tunnels are many: each has as few objects
 * as possible.
 */
class Tunnel implements Timed {
  due = Infinity;
  readonly #owner: TunnelOwner;
  readonly #client: Duplex;
  readonly #backend: Duplex;
  readonly #clock: TimeLimits;
  readonly #idleMs: number;
  readonly #clientKey: string;
  readonly #flow: PacedFlow | null;
  #isClosing = false;

  constructor(
    owner: TunnelOwner,
    client: Duplex,
    backend: Duplex,
    { clock }: TunnelParts,
    idleMs: number,
    openFlow: OpenFlow | null,
  ) {
    this.#owner = owner;
    this.#client = client;
    this.#backend = backend;
    this.#clock = clock;
    this.#idleMs = idleMs;
    this.#clientKey = owner.clientKey;
    this.#flow =
      openFlow?.({
        pass: (bytes) => this.#toClient(bytes),
        pause: () => backend.pause(),
        resume: () => backend.resume(),
      }) ?? null;
  }

  begin(readAccepted: ReadAccepted): void {
    const { destroy } = this;
    const [client, backend] = [this.#client, this.#backend];
    // Not `once`, which makes three objects: the calls are idempotent.
    client
      .on('error', destroy)
      .on('drain', () => this.#onClientDrained())
      .on('end', () => endOnce(backend))
      .on('close', () => this.#onClientClosed());
    backend
      .on('error', destroy)
      .on('drain', () => client.resume())
      .on('end', () => this.#onBackendEnd())
      .on('close', () => this.#onBackendClosed());
    this.#limit(this.#idleMs);
    read(client, (bytes) => this.#toBackend(bytes), readAccepted, backend);
    read(
      backend,
      (bytes) => {
        this.#owner.bytesSent += bytes.length;
        if (this.#flow === null) this.#toClient(bytes);
        else this.#flow.write(kept(bytes));
      },
      readAccepted,
      client,
    );
  }

  readonly destroy = (): void => {
    breakOff(this.#client);
    breakOff(this.#backend);
  };

  onTimeout(): void {
    this.destroy();
  }

  #toBackend(bytes: Buffer): void {
    if (!this.#isTaken(this.#backend, bytes)) this.#client.pause();
  }

  #toClient(bytes: Buffer): void {
    if (this.#isTaken(this.#client, bytes)) return;
    if (this.#flow === null) this.#backend.pause();
    else this.#flow.block();
  }

  /** @returns false when that side takes no more for now */
  #isTaken(side: Duplex, bytes: Buffer): boolean {
    if (this.#isClosing) return true;
    this.due = this.#clock.after(this.#idleMs);
    return side.writableEnded || send(side, bytes, this.#clientKey);
  }

  #onClientDrained(): void {
    if (this.#flow === null) this.#backend.resume();
    else this.#flow.unblock();
  }

  #onBackendEnd(): void {
    if (this.#flow === null) endOnce(this.#client);
    else this.#flow.end(() => endOnce(this.#client));
  }

  /** @param limitMs 0 is no limit */
  #limit(limitMs: number): void {
    this.due = this.#clock.after(limitMs);
    if (limitMs > 0) this.#clock.add(this);
  }

  /** The exchange has ended. */
  #onClientClosed(): void {
    this.#isClosing = true;
    this.#clock.remove(this);
    breakOff(this.#backend);
  }

  #onBackendClosed(): void {
    if (this.#flow === null) this.#closeClient();
    else this.#flow.end(() => this.#closeClient());
  }

  #closeClient(): void {
    const client = this.#client;
    this.#isClosing = true;
    endOnce(client);
    if (client.destroyed) return;
    this.#limit(CLOSING_MS);
    // What it sends is dropped, but only reading shows its end.
    client.resume();
  }
}

/**
 * Joins both sides of a WebSocket.
 * @param idleMs time without bytes in both directions after which the tunnel is closed; 0 is no limit
 */
export function join(
  owner: TunnelOwner,
  client: Duplex,
  backend: Duplex,
  parts: TunnelParts,
  idleMs: number,
  openFlow: OpenFlow | null = null,
): void {
  const tunnel = new Tunnel(owner, client, backend, parts, idleMs, openFlow);
  owner.becomeTunnel(tunnel.destroy);
  tunnel.begin(parts.readAccepted);
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
