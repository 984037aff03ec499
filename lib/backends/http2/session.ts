import { EventEmitter } from 'node:events';
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Timer, type TimeLimits } from '../../clock/time-limits.ts';
import { Allowance } from '../../core/limits/allowance.ts';
import { FIELD_BYTES, MOST_SECTION_BYTES } from '../../core/http/http2-fields.ts';
import type { Backend } from '../../core/routing/types.ts';
import type { Dialer } from '../dialing/dialer.ts';
import type { Caller, Dialing } from '../dialing/dialing.ts';
import type { Wire } from '../backend-request.ts';
import { LivenessWatch, LOOK_MS } from './liveness.ts';
import { type StreamEnding, StreamRoom } from './stream-room.ts';

/** Maximum number of concurrent streams, even if the backend allows more: beyond, another connection is better. */
const MOST_STREAMS = 256;
/** Maximum number of streams in the life of a connection, far below the limit of stream ids (RFC 9113 §5.1.1). */
const MOST_SERVED = 1_000_000;
/** Flow-control window of a stream, bytes. */
const WINDOW_BYTES = 262_144;
/**
 * Streams that may be cancelled in a burst, and per second after that. Servers treat many cancelled streams as an
 * attack (CVE-2023-44487) and close the connection with all its streams: Node's after a thousand, others much sooner.
 */
const CANCEL_BURST = 100;
const CANCELS_PER_SECOND = 10;
/** How long a backend may take to close an unused connection, ms. */
const GOODBYE_MS = 3_000;

/** The dependencies of a session. */
export interface SessionParts {
  readonly dialer: Pick<Dialer, 'dial'>;
  readonly clock: TimeLimits;
}

/** Called with the events of a session. */
export interface SessionKeeper {
  /** The session may have a free stream, or has become idle. */
  onFreeStream(session: BackendSession): void;
  /** The session accepts no more streams. */
  onGone(session: BackendSession): void;
}

/**
 * One HTTP/2 connection to a backend, shared by streams. Emits `ready` when the backend has sent its settings: it
 * does speak HTTP/2, and nothing of a request was sent before. Emits `lost` with an Error when that fails.
 */
export class BackendSession extends EventEmitter implements Wire, Caller {
  /** Null until there is a connection. */
  #session: ClientHttp2Session | null = null;
  #socket: Socket | null = null;
  #goodbye: NodeJS.Timeout | null = null;
  readonly #dialing: Dialing;
  readonly #clock: TimeLimits;
  readonly #liveness = new LivenessWatch();
  readonly #lookTimer = new Timer(() => this.#look());
  readonly #keeper: SessionKeeper;
  readonly #cancels = new Allowance(CANCEL_BURST, CANCELS_PER_SECOND, () => performance.now());
  readonly #room: StreamRoom;
  #served = 0;
  #isReady = false;
  #isGone = false;
  #hasCancelled = false;
  #hasDropped = false;
  #lastTaken = Infinity;
  #cause: Error | null = null;

  /** @param limit maximum number of streams until the backend has sent its settings: its previous limit, or 1 */
  constructor(backend: Backend, { dialer, clock }: SessionParts, keeper: SessionKeeper, limit: number) {
    super();
    this.#clock = clock;
    this.#room = new StreamRoom(limit, {
      clock,
      now: () => performance.now(),
      received: () => this.received,
      ping: (onReply) => {
        if (this.#session?.destroyed === false) this.#session.ping(onReply);
      },
      onRoom: () => {
        if (!this.#isGone) keeper.onFreeStream(this);
      },
    });
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
        this.#room.limit = Math.min(MOST_STREAMS, maxConcurrentStreams);
        // Even if it is full: requests that waited for the limit can use another connection.
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

  /** The backend's name now resolves elsewhere: no more streams are begun. */
  onMoved(): void {
    if (this.#isReady) this.#leave();
    // Streams that wait for it begin first.
    else this.once('ready', () => setImmediate(() => this.#leave()));
  }

  get connecting(): boolean {
    return !this.#isReady;
  }

  get streams(): number {
    return this.#room.streams;
  }

  /** Maximum number of concurrent streams; 1 until the backend has sent its limit. */
  get limit(): number {
    return this.#isReady ? this.#room.limit : 1;
  }

  get hasFreeStream(): boolean {
    return this.isOpen && this.#room.isFree;
  }

  /** Whether the backend has just refused a stream: others wait until one has ended, or for a short time. */
  get isResting(): boolean {
    return this.isOpen && this.#room.isResting;
  }

  /** Bytes so far. */
  get received(): number {
    return this.#socket?.bytesRead ?? 0;
  }

  /** Whether it accepts more streams, as far as is known. */
  get isOpen(): boolean {
    const isClosed = this.#session !== null && (this.#session.closed || this.#session.destroyed);
    return !this.#isGone && !isClosed;
  }

  /** The last stream that the backend may process; Infinity without a GOAWAY (RFC 9113 §6.8). */
  get lastTaken(): number {
    return this.#lastTaken;
  }

  /** Whether it is an idle, used connection: the backend may have closed it, and the router not know yet. */
  get mayBeStale(): boolean {
    return this.#served > 0 && this.streams === 0;
  }

  /** Whether the backend has closed it with an error, perhaps because of cancelled streams. */
  get hasDropped(): boolean {
    return this.#hasDropped;
  }

  /** Whether it accepts WebSockets (RFC 8441 §3); known when it is ready. */
  get takesWebSockets(): boolean {
    return this.#session?.remoteSettings.enableConnectProtocol === true;
  }

  /** Reserves one stream. */
  enter(): void {
    this.#room.enter();
  }

  /** Releases the stream. */
  leave(ending: StreamEnding = 'ended'): void {
    this.#room.leave(ending);
    this.#served++;
    const isCancelled = ending === 'cancelled';
    if (isCancelled) this.#hasCancelled = true;
    // Without a byte the watch goes on: clients may have left because the connection is dead.
    if (this.streams === 0 && this.#liveness.hasReceived(this.received)) this.#rest();
    // Streams under way continue; new ones use another connection.
    if (this.#served >= MOST_SERVED || (isCancelled && !this.#cancels.take())) this.#leave();
    if (this.#isGone) this.#end();
    else this.#keeper.onFreeStream(this);
  }

  /** Begins a stream. @throws Error when the connection accepts none, or Node rejects the fields */
  request(fields: Record<string, string>, isWhole: boolean, waitForTrailers: boolean): ClientHttp2Stream {
    if (this.#session === null) throw new Error('there is no connection yet');
    if (!this.#liveness.isAwaiting) this.#watch();
    return this.#session.request(fields, { endStream: isWhole, waitForTrailers });
  }

  /** Closes the connection when its streams have ended. */
  close(): void {
    // Do not wait for a connection without settings yet.
    if (this.#session === null || !this.#isReady) return this.destroy();
    this.#leave();
    this.#session.close();
  }

  destroy(): void {
    this.#dialing.cancel();
    // First: a session that was closed gracefully waits for the backend to close, too.
    this.#session?.destroy();
    if (this.#session === null) this.#onClose();
    else this.#leave();
  }

  #onReady(): void {
    this.#isReady = true;
    // The default window would be shared by all streams (RFC 9113 §6.9.2).
    this.#session?.setLocalWindowSize(WINDOW_BYTES * 4);
    this.emit('ready');
  }

  #watch(): void {
    this.#liveness.begin(this.received, performance.now());
    this.#clock.set(this.#lookTimer, LOOK_MS);
  }

  #rest(): void {
    this.#liveness.stop();
    this.#clock.clear(this.#lookTimer);
  }

  #look(): void {
    const session = this.#session;
    if (session === null || session.destroyed || this.#socket === null) return;
    switch (this.#liveness.look(this.received, performance.now())) {
      case 'rest':
        return;
      case 'close':
        this.#cause ??= new Error('the backend does not respond to PING');
        session.destroy(this.#cause);
        // The session of a lost write does not close its socket.
        this.#socket.destroy();
        return;
      case 'avoid':
        this.#leave();
        break;
      case 'ping':
        // The response is seen in the bytes that are received. Without one the callback gets an error.
        if (!session.closed) session.ping(() => {});
        break;
      case 'await':
    }
    this.#clock.set(this.#lookTimer, LOOK_MS);
  }

  #leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#room.close();
    this.#keeper.onGone(this);
    this.#end();
  }

  /** Closes the connection of a session that accepts no more streams, when the last stream has ended. */
  #end(): void {
    if (this.streams > 0 || this.#session === null || this.#socket === null || this.#socket.closed) return;
    if (!this.#session.closed && !this.#session.destroyed) this.#session.close();
    // Node waits for the backend to close its side: without a limit it could stay open for ever.
    this.#goodbye ??= setTimeout(() => this.#socket?.destroy(), GOODBYE_MS).unref();
  }

  #onClose(): void {
    this.#rest();
    this.#leave();
    if (!this.#isReady) this.emit('lost', this.#cause ?? new Error('the backend does not speak HTTP/2'));
  }
}
