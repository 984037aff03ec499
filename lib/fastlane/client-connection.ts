/**
 * One client's connection. Serves its requests one after the other: each starts as a FastExchange, and may be handed
 * off to the full lane.
 */
import type { ClientStream } from '../http1/client-stream.ts';
import { LINGER_MS } from '../core/limits/client-limits.ts';
import type { RequestLimits } from '../core/limits/exchange-limits.ts';
import type { Activity } from '../core/limits/activity.ts';
import type { Peer } from '../core/http/forwarded.ts';
import type { HandoffState } from '../core/routing/types.ts';
import { BusyReport, type LaneConnection } from './connection-keeper.ts';
import type { Timed } from '../clock/time-limits.ts';
import { ClientInput, type InputHandler } from './client-input.ts';
import { ClientOutput } from './client-output.ts';
import type { HeadWriter } from './head-writer.ts';
import type { HeldPart } from './held-body.ts';
import { HandoffStream } from './handoff-stream.ts';
import type { EarlyBackend, ConnectionOwner, OwnedConnection } from './connection-owner.ts';
import type { FullLane } from './parts.ts';
import { FastExchange } from './fast-exchange.ts';
import { kept } from '../http1/read-buffer.ts';
import { LingeringClose } from './lingering-close.ts';
import type { ReadRequest } from './request-grammar.ts';
import { BodyRemainder } from './body-remainder.ts';
import type { LaneShared } from './shared.ts';
import { SocketEvents, type SocketHandler } from './socket-events.ts';

/**
 * `head`: a request's head is awaited. `busy`: an exchange is under way. `flushing`: the client must read first.
 * `closing`: our side is ended. `gone`: closed, or given to the full lane.
 */
type State = 'head' | 'busy' | 'flushing' | 'closing' | 'gone';

export class ClientConnection implements LaneConnection, OwnedConnection, InputHandler, SocketHandler, Timed {
  due: number;
  limits: RequestLimits;
  readonly socket: ClientStream;
  readonly writer: HeadWriter;
  readonly output: ClientOutput;
  readonly #input: ClientInput;
  readonly #peer: Peer;
  readonly #shared: LaneShared;
  readonly #fullLane: FullLane;
  readonly #exchange: FastExchange;
  readonly #events: SocketEvents;
  readonly #busy: BusyReport;
  owner: ConnectionOwner | null = null;
  #state: State = 'head';
  /** It has sent a request. */
  #isGreeted = false;
  /** The client has sent `Connection: close`. */
  #isLastAsked = false;
  /** Close the connection when all that is held for the client was written. */
  #endsFlushed = false;
  /** Set while the connection is being closed gracefully. */
  #lingering: LingeringClose | null = null;

  constructor(socket: ClientStream, peer: Peer, shared: LaneShared, fullLane: FullLane, activity: Activity | null) {
    this.socket = socket;
    this.#peer = peer;
    this.#shared = shared;
    this.#fullLane = fullLane;
    const { parts, clock } = shared;
    this.limits = parts.limits;
    this.output = new ClientOutput(socket, peer.address, parts);
    this.#input = new ClientInput(this, socket, parts.limits.headerBytes);
    this.writer = shared.writers.of(peer);
    this.#exchange = new FastExchange(this, shared);
    this.due = clock.after(parts.limits.headerMs);
    clock.add(this);
    this.#busy = new BusyReport(shared.keeper, activity);
    this.#events = new SocketEvents(socket, this, parts.readAccepted);
  }

  /** Begins to read. */
  start(): void {
    this.#events.start();
  }

  get bodyBytes(): number {
    return this.#input.body.payload;
  }

  get isAwaitingHead(): boolean {
    return this.#state === 'head';
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    if (!this.#input.isFull) this.socket.resume();
  }

  finished(isLast: boolean, backend: EarlyBackend | null): void {
    // Closing an HTTP/2 stream before its body is complete resets it, which some clients treat as a failure.
    if (!this.#input.body.isDone && (backend !== null || !isLast || this.#peer.isHttp2)) {
      this.owner = new BodyRemainder(this, this.#shared, isLast, backend);
    } else if (!isLast) {
      this.#next();
    } else if (this.#isLastAsked && !this.#input.hasAhead && !this.#peer.isTls) {
      // Not with TLS, which has a closing message, nor if the client has sent more: it would be reset before it has
      // read the response.
      this.#closeFree();
    } else {
      this.#close();
    }
  }

  handOff(request: ReadRequest, handoff: HandoffState, held: readonly HeldPart[]): void {
    const stream = new HandoffStream(this, this.#input.body.isDone, handoff.isBodyLost);
    // A client that was too slow gets no second time limit.
    this.#input.isBodyLost = handoff.interruption?.code === 'request-timeout';
    this.owner = stream;
    this.due = Infinity;
    this.#busy.handOff();
    stream.open(request, held);
    this.#fullLane.serveOnce(stream, this.#peer, handoff, () => stream.onResponded());
    if (!this.#input.body.isDone) this.resume();
  }

  cut(): void {
    // The owner that cuts the connection needs no `onClientGone`.
    this.owner = null;
    this.socket.destroy();
  }

  onTimeout(): void {
    switch (this.#state) {
      case 'head':
        if (!this.#input.hasAhead && this.#isGreeted) {
          this.socket.destroy();
        } else {
          this.#leave();
          this.#fullLane.timeOut(this.socket);
        }
        return;
      case 'busy':
        this.owner?.onTimeout();
        return;
      case 'flushing':
        this.#cutSlow();
        return;
      case 'closing':
        this.socket.destroy();
        return;
      case 'gone':
        return;
    }
  }

  closeIdle(): void {
    if (this.#state === 'flushing' || (this.#state === 'head' && this.#isGreeted && !this.#input.hasAhead))
      this.#close();
  }

  cutBusy(): void {
    if (this.#state !== 'head') this.socket.destroy();
  }

  readonly onData = (bytes: Buffer): void => {
    switch (this.#state) {
      case 'head':
        return this.#input.readHead(bytes);
      case 'busy':
        return this.#input.readOn(bytes);
      case 'flushing':
        return this.#input.keep(bytes, 0);
      case 'closing':
        return this.#lingering?.onBytes(bytes);
      case 'gone':
        return;
    }
  };

  readonly onDrain = (): void => {
    if (this.output.isBlocked && !this.output.flush(this.limits.readMs)) return this.#cutSlow();
    if (this.#state === 'flushing') this.#next();
    else this.owner?.onClientDrained();
  };

  /** The client reads too slowly. */
  #cutSlow(): void {
    const owner = this.owner;
    if (owner !== null) return owner.onTimeout();
    this.#shared.parts.onCut('slow-reader', this.writer.peer.address, null);
    this.socket.destroy();
  }

  /** A client that has ended its side has left. Node's server does not respond on half-open connections either. */
  readonly onEnd = (): void => {
    this.#letGo();
    this.output.end(this.#state === 'flushing');
    if (this.#state === 'head' && this.#input.hasAhead) this.socket.destroy();
    // A second end() would create an Error.
    else if (!this.socket.writableEnded) this.socket.end();
    if (this.#state !== 'closing') this.due = this.#shared.clock.after(LINGER_MS);
    this.#state = 'closing';
  };

  readonly onClose = (): void => {
    this.#letGo();
    this.#end();
  };

  onHeadBegun(): void {
    const { clock, parts } = this.#shared;
    if (this.#isGreeted) this.due = clock.after(parts.limits.headerMs);
  }

  onRequest(request: ReadRequest): void {
    this.#state = 'busy';
    this.owner = this.#exchange;
    this.#busy.set(true);
    this.#isGreeted = true;
    this.#isLastAsked = request.isLast;
    this.#exchange.start(request);
  }

  /** Gives the connection to the full lane for good. */
  onForeignHead(bytes: Buffer): void {
    this.#leave();
    this.socket.pause();
    this.socket.unshift(kept(bytes));
    this.#fullLane.adopt(this.socket);
  }

  #next(): void {
    this.owner = null;
    const { clock, parts } = this.#shared;
    if (!this.output.isAway) {
      // Responses to a client that does not read must not pile up in memory.
      this.#state = 'flushing';
      this.due = clock.after(this.limits.readMs);
      return;
    }
    if (this.#endsFlushed) return this.#close();
    this.#state = 'head';
    this.#busy.set(false);
    this.due = clock.after(parts.limits.idleMs);
    const ahead = this.#input.takeAhead();
    if (this.socket.isPaused()) this.socket.resume();
    if (ahead !== null) this.#input.readHead(ahead);
    else if (parts.isClosing()) this.#closeFree();
  }

  /** Closes a connection whose client expects no more data: at once if the kernel has all that was written. */
  #closeFree(): void {
    this.owner = null;
    if (this.socket.writableLength === 0) this.socket.destroy();
    else this.#close();
  }

  /** Closes the connection in steps, after what is held for the client was written. See LingeringClose. */
  #close(): void {
    const { clock } = this.#shared;
    this.#busy.set(true);
    this.owner = null;
    if (this.output.isHolding) {
      this.#endsFlushed = true;
      this.#state = 'flushing';
      this.due = clock.after(this.limits.readMs);
      return;
    }
    this.#state = 'closing';
    this.#lingering = new LingeringClose(this, this.#input, this.#busy, this.#shared);
    this.#lingering.begin();
  }

  #letGo(): void {
    const owner = this.owner;
    this.owner = null;
    owner?.onClientGone();
  }

  /** Stops serving the socket, which stays open. */
  #leave(): void {
    if (!this.#end()) return;
    this.#events.end();
  }

  /** @returns false when it had ended before */
  #end(): boolean {
    if (this.#state === 'gone') return false;
    this.#busy.set(false);
    this.#state = 'gone';
    this.#input.takeAhead();
    this.output.clear();
    this.#shared.clock.remove(this);
    this.#shared.keeper.onGone(this);
    return true;
  }
}
