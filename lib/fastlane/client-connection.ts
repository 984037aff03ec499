/** A client's connection: finds its requests, one after the other, and gives each to who can serve it. */
import type { ClientStream } from '../http1/client-stream.ts';
import type { Activity } from '../core/limits/activity.ts';
import { clientKey } from '../core/limits/client-key.ts';
import type { Peer } from '../core/http/forwarded.ts';
import { Pace, ReadPace } from '../core/limits/pace.ts';
import { Spool } from '../core/limits/spool.ts';
import type { Prior } from '../core/routing/types.ts';
import { type EndReads, readAccepted } from './accepted-reads.ts';
import { Body } from '../http1/framed-body.ts';
import type { Timed } from '../clock/deadlines.ts';
import type { HeadWriter } from './head-writer.ts';
import type { HeldPart } from './held-body.ts';
import { Loan } from './handoff-stream.ts';
import type { EarlyBackend, Occupant, OccupiedClient } from './connection-owner.ts';
import type { FullLane } from './parts.ts';
import { Passage } from './fast-exchange.ts';
import { kept } from '../http1/read-buffer.ts';
import { mayBegin, type ReadRequest, readRequest } from './request-grammar.ts';
import { Rest } from './body-remainder.ts';
import { isFull, send, sendTogether } from './send.ts';
import type { LaneShared } from './shared.ts';

/** What is read ahead of the answer to an earlier request, bytes; past it the client waits. */
const AHEAD_BYTES = 65_536;
/** How long a connection that was ended stays open for its client to read why, ms. */
const LINGER_MS = 2_000;
/** A head that comes in more pieces than this is from a client that is slow, or wants to be: not for this lane. */
const HEAD_PIECES = 16;
/** Most heads are found in so many bytes: a body behind one is not made text of for nothing. */
const HEAD_BYTES = 4_096;
const HEAD_END = '\r\n\r\n';

/** `head`: for a request's. `busy`: it has an occupant. `flushing`: the client must read first. `closing`: no more comes of it. */
type State = 'head' | 'busy' | 'flushing' | 'closing' | 'gone';

/** Told of the connection's life. */
export interface ConnectionKeeper {
  /** An exchange has begun. */
  onBusy(): void;
  /** It is over, and the connection free. */
  onIdle(): void;
  /** It is no connection of this lane any more. */
  onGone(connection: ClientConnection): void;
}

export class ClientConnection implements OccupiedClient, Timed {
  due: number;
  readonly socket: ClientStream;
  readonly writer: HeadWriter;
  readonly #peer: Peer;
  readonly #shared: LaneShared;
  readonly #fullLane: FullLane;
  readonly #keeper: ConnectionKeeper;
  readonly #activity: Activity | null;
  readonly #body = new Body();
  readonly #passage: Passage;
  /** Null where the stream gives the bytes. */
  readonly #endReads: EndReads | null;
  #occupant: Occupant | null = null;
  #state: State = 'head';
  /** What was read and belongs to nobody yet. */
  #ahead: Buffer | null = null;
  /** Of the head that is being read. */
  #pieces = 0;
  /** It has sent a request. */
  #isGreeted = false;
  /** Its client has said that no further request comes. */
  #isLastAsked = false;
  /** An exchange is under way, or its answer is not all away. */
  #isBusy = false;
  clientKey: string;
  /** What waits for a client that takes nothing for now; null while it does take. */
  #spool: Spool<string | Buffer> | null = null;
  readonly #readPace: ReadPace;
  /** Since when it takes nothing. */
  #blockedAt = 0;
  /** What it was given last and has not taken, bytes. */
  #untaken = 0;
  /** The connection is to be ended when what is held for the client is away. */
  #endsFlushed = false;
  /** The rest of a request's body is not to be waited for: its end cannot be found, or it was too slow. */
  #isBodyGone = false;
  /** While such a rest is read after the connection was ended, and what had come of the body before. */
  #dropped: Pace | null = null;
  #droppedFrom = 0;

  constructor(
    socket: ClientStream,
    peer: Peer,
    shared: LaneShared,
    fullLane: FullLane,
    keeper: ConnectionKeeper,
    activity: Activity | null,
  ) {
    this.socket = socket;
    this.#peer = peer;
    this.#shared = shared;
    this.#fullLane = fullLane;
    this.#keeper = keeper;
    this.#activity = activity;
    const { parts, deadlines } = shared;
    const { readMinRate, readMs } = parts.limits;
    this.clientKey = clientKey(peer.address);
    this.#readPace = new ReadPace(readMinRate, readMs);
    this.writer = shared.writers.of(peer);
    this.#passage = new Passage(this, shared);
    this.due = deadlines.after(parts.limits.headerMs);
    deadlines.add(this);
    this.#endReads = parts.readsAccepted() ? readAccepted(socket, this.#onData) : null;
    socket.on('drain', this.#onDrain).on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClose);
  }

  /** Begins to read. The socket may be paused, and have been read from. */
  start(): void {
    const { socket } = this;
    if (this.#endReads === null) {
      socket.on('data', this.#onData).resume();
      return;
    }
    const first = socket.readableLength > 0 ? (socket.read() as Buffer | null) : null;
    socket.resume();
    if (first !== null) this.#onData(first);
  }

  get bodyBytes(): number {
    return this.#body.payload;
  }

  write(text: string, bytes: Buffer | null): boolean {
    const spool = this.#spool;
    if (spool !== null) {
      spool.push(text);
      if (bytes !== null) spool.push(kept(bytes));
      return false;
    }
    const isFlowing = this.#send(text, bytes);
    if (!isFlowing) this.#block();
    return isFlowing;
  }

  get isBlocked(): boolean {
    return this.#spool !== null;
  }

  get isFull(): boolean {
    return this.#spool?.isFull ?? false;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    if (this.#ahead === null || this.#ahead.length < AHEAD_BYTES) this.socket.resume();
  }

  passed(isLast: boolean, backend: EarlyBackend | null): void {
    // A stream of HTTP/2 that is closed before its body has come is reset, which some clients take for a failure.
    if (!this.#body.isDone && (backend !== null || !isLast || this.#peer.isHttp2)) {
      this.#occupant = new Rest(this, this.#shared, isLast, backend);
    } else if (!isLast) {
      this.#next();
    } else if (this.#isLastAsked && this.#ahead === null && !this.#peer.isTls) {
      // TLS has a word to say at its end, and a client that sends on would be reset before it has read the answer.
      this.#closeFree();
    } else {
      this.#close();
    }
  }

  lend(request: ReadRequest, prior: Prior, held: readonly HeldPart[]): void {
    const loan = new Loan(this, this.#body.isDone, prior.isBodyLost);
    // One that was too slow is not waited for once more.
    this.#isBodyGone = prior.interruption?.code === 'request-timeout';
    this.#occupant = loan;
    this.due = Infinity;
    loan.open(request, held);
    this.#fullLane.serveOnce(loan, this.#peer, prior, () => loan.onAnswered());
    if (!this.#body.isDone) this.resume();
  }

  returned(isLast: boolean): void {
    this.passed(isLast, null);
  }

  cut(): void {
    // Whoever cuts knows that it is over.
    this.#occupant = null;
    this.socket.destroy();
  }

  ring(): void {
    switch (this.#state) {
      case 'head':
        if (this.#ahead === null && this.#isGreeted) this.socket.destroy();
        else this.#timeOut();
        return;
      case 'busy':
        this.#occupant?.ring();
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

  /** The lane accepts no more: a connection between two requests is closed. */
  closeIdle(): void {
    if (this.#state === 'flushing' || (this.#state === 'head' && this.#isGreeted && this.#ahead === null))
      this.#close();
  }

  /** Destroys the connection if an exchange is under way. */
  cutBusy(): void {
    if (this.#state !== 'head') this.socket.destroy();
  }

  readonly #onData = (bytes: Buffer): void => {
    if (this.#state === 'head') return this.#readHead(bytes);
    if (this.#state !== 'busy') {
      if (this.#state === 'flushing') this.#keepAhead(bytes, 0);
      else this.#drop(bytes);
      return;
    }
    const at = this.#body.isDone ? 0 : this.#readBody(bytes, 0);
    this.#goOn(bytes, at);
  };

  readonly #onDrain = (): void => {
    if (this.#spool !== null && !this.#flush()) return this.#cutSlow();
    if (this.#state === 'flushing') this.#next();
    else this.#occupant?.onClientDrained();
  };

  #send(text: string, bytes: Buffer | null): boolean {
    if (bytes === null) return send(this.socket, text);
    return text === '' ? send(this.socket, bytes) : sendTogether(this.socket, text, bytes);
  }

  #block(): void {
    const { spools, now } = this.#shared.parts;
    this.#spool ??= new Spool(spools, this.clientKey);
    this.#blockedAt = now();
    this.#untaken = this.socket.writableLength;
  }

  /** The client has taken what it was given last: gives it more. @returns false when it reads too slowly */
  #flush(): boolean {
    const spool = this.#spool;
    const now = this.#shared.parts.now();
    if (this.#readPace.isTooSlow(this.#untaken, now - this.#blockedAt)) return false;
    for (let piece = spool?.shift(); piece !== undefined; piece = spool?.shift()) {
      if (send(this.socket, piece)) continue;
      this.#block();
      return true;
    }
    this.#spool = null;
    return true;
  }

  /** The client reads too slowly. */
  #cutSlow(): void {
    const occupant = this.#occupant;
    if (occupant !== null) return occupant.ring();
    this.#shared.parts.onCut('slow-reader', this.writer.peer.address, null);
    this.socket.destroy();
  }

  /** A client that has ended its side has left: Node's server, too, gives half-open connections no answer. */
  readonly #onEnd = (): void => {
    this.#letGo();
    // All of an answer is written to a client that has ended its side; what is left of one that was not whole is not.
    if (this.#state !== 'flushing') this.#spool?.clear();
    for (let piece = this.#spool?.shift(); piece !== undefined; piece = this.#spool?.shift()) send(this.socket, piece);
    if (this.#state === 'head' && this.#ahead !== null) this.socket.destroy();
    // To end it once more would be a mistake, with an Error to be made for it.
    else if (!this.socket.writableEnded) this.socket.end();
    if (this.#state !== 'closing') this.due = this.#shared.deadlines.after(LINGER_MS);
    this.#state = 'closing';
  };

  /** All was written, and our side is ended. */
  readonly #onEnded = (): void => {
    if (this.#state !== 'closing') return;
    const { deadlines, parts } = this.#shared;
    if (this.#body.isDone || this.#isBodyGone) {
      this.#setBusy(false);
      this.due = deadlines.after(LINGER_MS);
    } else {
      this.#dropped = new Pace(parts.limits.bodyMinRate, parts.now());
      this.#droppedFrom = this.#body.payload;
      this.due = deadlines.after(parts.limits.bodyMs);
    }
  };

  readonly #onError = (): void => {
    this.socket.destroy();
  };

  readonly #onClose = (): void => {
    this.#letGo();
    this.#end();
  };

  #readHead(bytes: Buffer): void {
    const all = this.#ahead === null ? bytes : Buffer.concat([this.#ahead, bytes]);
    const { limits } = this.#shared.parts;
    let text = all.toString('latin1', 0, Math.min(all.length, HEAD_BYTES, limits.headerBytes));
    let request = readRequest(text);
    if (request === null && all.length > HEAD_BYTES) {
      text = all.toString('latin1', 0, limits.headerBytes);
      request = readRequest(text);
    }
    if (request === null) {
      if (all.length > limits.headerBytes || text.includes(HEAD_END)) return this.#give(all);
      if (++this.#pieces > HEAD_PIECES || !mayBegin(text)) return this.#give(all);
      if (this.#ahead === null && this.#isGreeted) this.due = this.#shared.deadlines.after(limits.headerMs);
      this.#ahead = kept(all);
      return;
    }
    this.#ahead = null;
    this.#pieces = 0;
    this.#serve(request, all, request.text.length);
  }

  /** @param at where the request's body begins in `bytes` */
  #serve(request: ReadRequest, bytes: Buffer, at: number): void {
    this.#state = 'busy';
    this.#occupant = this.#passage;
    this.#setBusy(true);
    this.#isGreeted = true;
    this.#isLastAsked = request.isLast;
    this.#body.start(request.framing, request.length);
    this.#isBodyGone = false;
    const hasBody = !this.#body.isDone;
    this.#passage.start(request);
    let next = at;
    if (hasBody && at < bytes.length) next = this.#readBody(bytes, at);
    this.#goOn(bytes, next);
  }

  /** @returns where the next request begins */
  #readBody(bytes: Buffer, at: number): number {
    const end = this.#body.read(bytes, at);
    if (end < 0) {
      this.#isBodyGone = true;
      this.#occupant?.onBadBody(at === 0 ? bytes : bytes.subarray(at));
      return bytes.length;
    }
    this.#occupant?.onBody(this.#body.output, this.#body.isDone);
    return end;
  }

  /** What came behind a body: its end may have been the end of the exchange, too. */
  #goOn(bytes: Buffer, at: number): void {
    if (at >= bytes.length) return;
    if (this.#state === 'head') this.#readHead(bytes.subarray(at));
    else this.#keepAhead(bytes, at);
  }

  /** What comes after the connection was ended: the rest of a body, until it is whole, or comes no more, or too slowly. */
  #drop(bytes: Buffer): void {
    const pace = this.#dropped;
    if (pace === null) return;
    const { deadlines, parts } = this.#shared;
    const isBroken = this.#body.read(bytes, 0) < 0;
    if (isBroken || this.#body.isDone) {
      this.#dropped = null;
      this.#setBusy(false);
      this.due = deadlines.after(LINGER_MS);
    } else if (pace.isTooSlow(this.#body.payload - this.#droppedFrom, parts.now())) {
      this.socket.destroy();
    } else {
      this.due = deadlines.after(parts.limits.bodyMs);
    }
  }

  #keepAhead(bytes: Buffer, at: number): void {
    const rest = bytes.subarray(at);
    this.#ahead = this.#ahead === null ? kept(rest) : Buffer.concat([this.#ahead, rest]);
    if (this.#ahead.length >= AHEAD_BYTES) this.socket.pause();
  }

  #next(): void {
    this.#occupant = null;
    const { deadlines, parts } = this.#shared;
    if (this.#spool !== null || isFull(this.socket)) {
      // Answers that nobody reads must not pile up.
      this.#state = 'flushing';
      this.due = deadlines.after(parts.limits.readMs);
      return;
    }
    if (this.#endsFlushed) return this.#close();
    this.#state = 'head';
    this.#setBusy(false);
    this.due = deadlines.after(parts.limits.idleMs);
    const ahead = this.#ahead;
    this.#ahead = null;
    if (this.socket.isPaused()) this.socket.resume();
    if (ahead !== null) this.#readHead(ahead);
    else if (parts.isClosing()) this.#closeFree();
  }

  /** Closes a connection whose client awaits nothing any more: all that was written is the system's to deliver. */
  #closeFree(): void {
    this.#occupant = null;
    if (this.socket.writableLength === 0) this.socket.destroy();
    else this.#close();
  }

  /**
   * Ends the connection once all that was written is away, and reads on for a while: a client that still sends would
   * be reset, and could lose what it was told.
   */
  #close(): void {
    const { deadlines, parts } = this.#shared;
    this.#setBusy(true);
    this.#occupant = null;
    if (this.#spool !== null && !this.#spool.isEmpty) {
      this.#endsFlushed = true;
      this.#state = 'flushing';
      this.due = deadlines.after(parts.limits.readMs);
      return;
    }
    this.#state = 'closing';
    this.due = deadlines.after(parts.limits.responseMs);
    this.socket.end(this.#onEnded);
    this.socket.resume();
  }

  /** The connection is the full lane's for good. */
  #give(bytes: Buffer): void {
    this.#leave();
    this.socket.pause();
    this.socket.unshift(kept(bytes));
    this.#fullLane.adopt(this.socket);
  }

  #timeOut(): void {
    this.#leave();
    this.#fullLane.timeOut(this.socket);
  }

  #letGo(): void {
    const occupant = this.#occupant;
    this.#occupant = null;
    occupant?.onClientGone();
  }

  /** Lets go of the socket, which lives on. */
  #leave(): void {
    if (!this.#end()) return;
    this.#endReads?.();
    this.socket.off('data', this.#onData).off('drain', this.#onDrain).off('end', this.#onEnd);
    this.socket.off('error', this.#onError).off('close', this.#onClose);
  }

  /** @returns whether it had not ended before */
  #end(): boolean {
    if (this.#state === 'gone') return false;
    this.#setBusy(false);
    this.#state = 'gone';
    this.#ahead = null;
    this.#spool?.clear();
    this.#shared.deadlines.remove(this);
    this.#keeper.onGone(this);
    return true;
  }

  #setBusy(isBusy: boolean): void {
    if (isBusy === this.#isBusy) return;
    this.#isBusy = isBusy;
    if (isBusy) {
      this.#activity?.busy();
      this.#keeper.onBusy();
    } else {
      this.#activity?.idle();
      this.#keeper.onIdle();
    }
  }
}
