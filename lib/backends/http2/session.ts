import { EventEmitter } from 'node:events';
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Allowance } from '../../core/limits/allowance.ts';
import { FIELD_BYTES, MOST_SECTION_BYTES } from '../../core/http/http2-fields.ts';
import type { Backend } from '../../core/routing/types.ts';
import type { Dialer } from '../dialing/dialer.ts';
import type { Caller, Dialing } from '../dialing/dialing.ts';
import type { Wire } from '../backend-request.ts';

/** Streams at a time, whatever the backend says: another connection is better then. */
const MOST_STREAMS = 256;
/** After so many streams a connection is given up, long before their numbers are (RFC 9113 §5.1.1). */
const MOST_SERVED = 1_000_000;
/** What of a response may be on its way before its client has read it, bytes a stream. */
const WINDOW_BYTES = 262_144;
/**
 * Streams that may be broken off at once, and per second after that. Servers take many of them for an attack
 * (CVE-2023-44487) and end the connection, with all that is under way on it: Node's after a thousand, others much sooner.
 */
const CANCEL_BURST = 100;
const CANCELS_PER_SECOND = 10;
/** How long a backend may take to close its connection when no stream is left on one that is given up, ms. */
const GOODBYE_MS = 3_000;

/** Told of a session's life. */
export interface SessionKeeper {
  /** It has room for another stream, perhaps, or none is left on it. */
  onFreeStream(session: BackendSession): void;
  /** It takes no further stream. */
  onGone(session: BackendSession): void;
}

/**
 * One HTTP/2 connection to a backend, shared by streams. `ready`: the backend has sent its settings, so that it does
 * speak HTTP/2; until then nothing of a request has left. `lost`, with an Error: that will not happen.
 */
export class BackendSession extends EventEmitter implements Wire, Caller {
  /** Null until there is a connection. */
  #session: ClientHttp2Session | null = null;
  #socket: Socket | null = null;
  #goodbye: NodeJS.Timeout | null = null;
  readonly #dialing: Dialing;
  readonly #keeper: SessionKeeper;
  readonly #cancels = new Allowance(CANCEL_BURST, CANCELS_PER_SECOND, () => performance.now());
  #limit: number;
  #streams = 0;
  #served = 0;
  #isReady = false;
  #isGone = false;
  #hasCancelled = false;
  #hasDropped = false;
  #lastTaken = Infinity;
  #cause: Error | null = null;

  /** @param limit streams that it takes until the backend has said how many: what it said before, or 1 */
  constructor(backend: Backend, dialer: Pick<Dialer, 'dial'>, keeper: SessionKeeper, limit: number) {
    super();
    this.#limit = limit;
    // One for each stream that waits for the connection.
    this.setMaxListeners(0);
    this.#keeper = keeper;
    this.#dialing = dialer.dial(backend, this);
  }

  onSocket(socket: Socket): void {
    socket.on('error', (cause) => (this.#cause ??= cause));
    if (socket instanceof TLSSocket && socket.alpnProtocol !== 'h2') {
      socket.destroy();
      return this.onNoSocket(new Error('the backend does not take HTTP/2 (ALPN)'));
    }
    this.#socket = socket;
    socket.once('close', () => clearTimeout(this.#goodbye ?? undefined));
    this.#session = connect('http://backend', {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES, maxHeaderListSize: MOST_SECTION_BYTES },
      // By default 128 fields.
      maxHeaderListPairs: MOST_SECTION_BYTES / FIELD_BYTES,
    });
    this.#session
      .once('remoteSettings', () => this.#onReady())
      .on('remoteSettings', ({ maxConcurrentStreams = MOST_STREAMS }) => {
        this.#limit = Math.min(MOST_STREAMS, maxConcurrentStreams);
        // Full or not: whoever waited to know can be served by another.
        if (!this.#isGone) this.#keeper.onFreeStream(this);
      })
      .on('goaway', (code, lastStream) => {
        this.#lastTaken = lastStream;
        this.#hasDropped = this.#hasCancelled && code !== constants.NGHTTP2_NO_ERROR;
        this.#leave();
      })
      .on('error', (cause) => (this.#cause ??= cause))
      .once('close', () => this.#onClose());
  }

  onNoSocket(cause: Error): void {
    this.#cause ??= cause;
    this.#onClose();
  }

  /** The backend's name leads elsewhere now: streams finish, and no other is begun. */
  onMoved(): void {
    if (this.#isReady) this.#leave();
    // Streams that wait for it begin first.
    else this.once('ready', () => setImmediate(() => this.#leave()));
  }

  get connecting(): boolean {
    return !this.#isReady;
  }

  get streams(): number {
    return this.#streams;
  }

  /** Streams that it takes at a time; 1 until the backend has said how many. */
  get limit(): number {
    return this.#isReady ? this.#limit : 1;
  }

  get hasFreeStream(): boolean {
    return this.isOpen && this.#streams < this.#limit;
  }

  /** Whether it takes further streams, as far as is known. */
  get isOpen(): boolean {
    const isClosed = this.#session !== null && (this.#session.closed || this.#session.destroyed);
    return !this.#isGone && !isClosed;
  }

  /** The last stream that the backend has taken, or may take; Infinity until it has said so (RFC 9113 §6.8). */
  get lastTaken(): number {
    return this.#lastTaken;
  }

  /** Whether it has served before and serves nobody: the backend may have closed it, and we not heard of it yet. */
  get mayBeStale(): boolean {
    return this.#served > 0 && this.#streams === 0;
  }

  /** Whether the backend has ended it with an error, perhaps because of the streams that had been broken off. */
  get hasDropped(): boolean {
    return this.#hasDropped;
  }

  /** Whether it takes WebSockets (RFC 8441 §3); known when it is ready. */
  get takesWebSockets(): boolean {
    return this.#session?.remoteSettings.enableConnectProtocol === true;
  }

  /** Takes the room for one stream. */
  enter(): void {
    this.#streams++;
  }

  /** Gives it back. @param isCancelled the stream was broken off */
  leave(isCancelled = false): void {
    this.#streams--;
    this.#served++;
    if (isCancelled) this.#hasCancelled = true;
    // What is under way stays, and what is still to come goes by another connection.
    if (this.#served >= MOST_SERVED || (isCancelled && !this.#cancels.take())) this.#leave();
    if (this.#isGone) this.#end();
    else this.#keeper.onFreeStream(this);
  }

  /** Begins a stream. @throws Error when the connection takes none any more, or Node does not take the fields */
  request(fields: Record<string, string>, isWhole: boolean, waitForTrailers: boolean): ClientHttp2Stream {
    if (this.#session === null) throw new Error('there is no connection yet');
    return this.#session.request(fields, { endStream: isWhole, waitForTrailers });
  }

  /** Lets it go when its streams have ended. */
  close(): void {
    // One that has not said a word is not waited for.
    if (this.#session === null || !this.#isReady) return this.destroy();
    this.#leave();
    this.#session.close();
  }

  destroy(): void {
    this.#dialing.cancel();
    // First: a session that was closed in good order waits for the backend to do the same.
    this.#session?.destroy();
    if (this.#session === null) this.#onClose();
    else this.#leave();
  }

  #onReady(): void {
    this.#isReady = true;
    // The least there is would be shared by all streams (RFC 9113 §6.9.2).
    this.#session?.setLocalWindowSize(WINDOW_BYTES * 4);
    this.emit('ready');
  }

  #leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#keeper.onGone(this);
    this.#end();
  }

  /** Ends the connection of a session that is given up, as soon as nobody needs it. */
  #end(): void {
    if (this.#streams > 0 || this.#session === null || this.#socket === null || this.#socket.closed) return;
    if (!this.#session.closed && !this.#session.destroyed) this.#session.close();
    // Node waits for the backend to close its side: one that does not would keep it open for ever.
    this.#goodbye ??= setTimeout(() => this.#socket?.destroy(), GOODBYE_MS).unref();
  }

  #onClose(): void {
    this.#leave();
    if (!this.#isReady) this.emit('lost', this.#cause ?? new Error('the backend does not speak HTTP/2'));
  }
}
