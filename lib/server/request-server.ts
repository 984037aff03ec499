/** The entrance of the full lane: Node's HTTP server, whose own error responses are replaced with the router's. */
import { createServer as createHttpServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Timeouts } from '../config/timeouts.ts';
import { RouterError } from '../core/errors.ts';
import { LINGER_MS } from '../core/limits/client-limits.ts';
import { readHead } from '../core/http/request-head.ts';
import type { ClientStream } from '../http1/client-stream.ts';
import { type ExchangeStart, Exchange } from '../proxy/exchange.ts';
import type { Connection } from './connection.ts';
import { firstLine, type ParseError, refusalFor } from './parse-error.ts';
import { withoutUpgrade } from './reinject.ts';

/** What a RequestServer needs. */
export interface RequestServerParts {
  readonly timeouts: Timeouts;
  readonly headerBytes: number;
  /** Serves an exchange. */
  readonly serve: (exchange: Exchange) => void;
  /** Responds to an exchange with an error. */
  readonly refuse: (exchange: Exchange, error: RouterError) => void;
  /** A complete error response, for a connection on which no request was read. */
  readonly errorMessage: (error: RouterError) => Buffer;
  /** Records bytes that were not a valid request. */
  readonly recordGarbage: (line: string, error: RouterError, connection: Connection, bytes: number) => void;
}

/** How often Node checks for request heads that take too long, ms. */
const CHECK_MS = 1_000;
/** RFC 9110 §15.5.6: a 405 response lists the allowed methods. */
const ALLOW = ['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'];

/** Parses the requests of connections with Node's HTTP server. Never calls listen(); connections are passed in by Listener. */
export class RequestServer {
  readonly #parts: RequestServerParts;
  readonly #server: Server;
  /** Node gives back only the stream; this finds its connection. */
  readonly #connections = new WeakMap<ClientStream, Connection>();

  constructor(parts: RequestServerParts) {
    this.#parts = parts;
    this.#server = this.#createServer();
  }

  /** Takes a connection over. Its stream must be at the beginning of a request. */
  take(connection: Connection): void {
    this.#connections.set(connection.stream, connection);
    this.#server.emit('connection', connection.stream);
  }

  /** Closes connections that wait for a next request. */
  closeIdle(): void {
    this.#server.closeIdleConnections();
  }

  /** Ends the timer of Node's server. No connection may come any more. */
  close(): void {
    this.#server.close();
  }

  /** Responds with 408 on a connection that Node's server was not given, and closes it. */
  timeOut(connection: Connection): void {
    const { stream } = connection;
    stream.on('error', () => stream.destroy());
    const error = Object.assign(new Error('request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
    void this.#onParseError(error, connection);
  }

  #createServer(): Server {
    const { timeouts, headerBytes } = this.#parts;
    const options = {
      maxHeaderSize: headerBytes,
      // A request without Host gets the router's error page instead of Node's response.
      requireHostHeader: false,
      noDelay: true,
      connectionsCheckingInterval: CHECK_MS,
      headersTimeout: timeouts.header * 1000,
      // An upload may take long; the router bounds its rate instead (`limits.bodyMinRate`).
      requestTimeout: 0,
      keepAliveTimeout: timeouts.idle * 1000,
    };
    const server = createHttpServer(options);
    // Node would silently drop fields past a count, among them framing fields; maxHeaderSize bounds them instead.
    server.maxHeadersCount = 0;
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
      const { peer, handoff, rejection } = this.#connectionOf(request.socket);
      this.#open({ request, response, upgrade: null, peer, handoff: handoff?.state ?? null, rejection });
    };
    server.on('request', onRequest);
    server.on('checkContinue', onRequest);
    server.on('checkExpectation', onRequest);
    server.on('upgrade', (request, socket, head) => void this.#onUpgrade(request, socket, head));
    server.on('connect', (request, socket, head) => void this.#onConnect(request, socket, head));
    server.on('clientError', (error, stream) => void this.#onParseError(error, this.#connectionOf(stream)));
    // The server never listens, but only this event starts its check for heads that take too long (see
    // test/wire/limits.test.ts).
    server.emit('listening');
    return server;
  }

  #connectionOf(stream: ClientStream): Connection {
    const connection = this.#connections.get(stream);
    if (connection === undefined) throw new Error('Node gave a stream that this server did not get');
    return connection;
  }

  #open(start: ExchangeStart): void {
    const exchange = new Exchange(start);
    this.#connectionOf(start.request.socket).add(exchange);
    this.#parts.serve(exchange);
  }

  async #onUpgrade(request: IncomingMessage, duplex: Duplex, head: Buffer): Promise<void> {
    // Node has removed its listeners from the socket: its errors must be handled here.
    duplex.on('error', () => duplex.destroy());
    const { socket } = request;
    const connection = this.#connectionOf(socket);
    if (!connection.isIdle) {
      // Earlier pipelined requests still need the socket for their responses. After those it is closed.
      await connection.settledAlone();
      socket.destroy();
      return;
    }
    if (!isWebSocket(request)) {
      socket.unshift(withoutUpgrade(request, head));
      this.#server.emit('connection', socket);
      socket.resume();
      return;
    }
    const { response, release } = responseOn(request, socket);
    this.#open({ request, response, upgrade: { socket, head, release }, peer: connection.peer, handoff: null });
  }

  async #onConnect(request: IncomingMessage, duplex: Duplex, head: Buffer): Promise<void> {
    duplex.on('error', () => duplex.destroy());
    const { socket } = request;
    const connection = this.#connectionOf(socket);
    await connection.settledAlone();
    if (socket.destroyed) return;
    const { response, release } = responseOn(request, socket);
    const upgrade = { socket, head, release };
    const exchange = new Exchange({ request, response, upgrade, peer: connection.peer, handoff: null });
    connection.add(exchange);
    this.#parts.refuse(exchange, new RouterError('method-refused', 'CONNECT is not supported', { fields: ALLOW }));
  }

  async #onParseError(error: ParseError, connection: Connection): Promise<void> {
    const { stream } = connection;
    if (connection.hasFailed) return;
    connection.hasFailed = true;
    const refusal = refusalFor(error, stream.bytesRead === error.rawPacket?.length, this.#parts.headerBytes);
    if (refusal === null || !stream.writable) {
      stream.destroy();
      return;
    }
    const { receiving } = connection;
    if (receiving) {
      receiving.interrupt(refusal);
      return;
    }
    // A malformed request behind valid ones: their responses come first (RFC 9112 §9.3.2).
    await connection.settled();
    if (stream.destroyed) return;
    const message = this.#parts.errorMessage(refusal);
    this.#parts.recordGarbage(firstLine(error, connection.peer.isHttp2), refusal, connection, message.length);
    stream.end(message, () => connection.handoff?.onEnded());
    setTimeout(() => stream.destroy(), LINGER_MS).unref();
  }
}

/** The response to an upgrade request, and what takes the socket from it. */
interface UpgradeResponse {
  readonly response: ServerResponse;
  /** Nothing is written by the response: the socket does not refer to it any more. */
  readonly release: () => void;
}

/** Makes a response for an upgrade request, for which Node's server makes none. */
function responseOn(request: IncomingMessage, socket: Socket): UpgradeResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  // Node's server has released the socket: without this a response to a slow client would wait for ever.
  const onDrain = (): unknown => response.emit('drain');
  socket.on('drain', onDrain);
  const release = (): void => {
    socket.off('drain', onDrain);
    response.detachSocket(socket);
  };
  response.once('finish', () => {
    release();
    socket.end();
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  });
  return { response, release };
}

/** Whether the router forwards this upgrade. False for a malformed head, which is then refused like any request. */
function isWebSocket({ method = '', url = '', httpVersion, rawHeaders }: IncomingMessage): boolean {
  try {
    return readHead({ method, target: url, version: httpVersion, rawHeaders }).isWebSocket;
  } catch {
    return false;
  }
}
