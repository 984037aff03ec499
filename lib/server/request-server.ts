/** Node's HTTP server, with all that it would answer in its own way answered in ours: the entrance of the full lane. */
import { createServer as createHttpServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Timeouts } from '../config/config.ts';
import { RouterError } from '../core/errors.ts';
import { readHead } from '../core/http/request-head.ts';
import { type ExchangeStart, Exchange } from '../proxy/exchange.ts';
import type { Connection } from './connection.ts';
import { firstLine, type ParseError, refusalFor } from './parse-error.ts';
import { withoutUpgrade } from './reinject.ts';

export interface RequestServerParts {
  readonly timeouts: Timeouts;
  readonly headerBytes: number;
  /** Answers an exchange. */
  readonly serve: (exchange: Exchange) => void;
  /** Answers an exchange that cannot be served. */
  readonly refuse: (exchange: Exchange, error: RouterError) => void;
  /** A whole error answer, for connections without a request to answer. */
  readonly errorMessage: (error: RouterError) => Buffer;
  /** Told of bytes that were no request. */
  readonly recordGarbage: (line: string, error: RouterError, connection: Connection, bytes: number) => void;
}

/** How often Node looks for heads that took too long, ms. */
const CHECK_MS = 1_000;
/** How long a refused connection stays open for its client to read why, ms. */
const LINGER_MS = 2_000;
/** RFC 9110 §15.5.6: 405 says which methods would have done. */
const ALLOW = ['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'];

/** It listens to nobody: connections are brought to it. */
export class RequestServer {
  readonly #parts: RequestServerParts;
  readonly #connectionOf: (socket: Socket) => Connection;
  readonly #server: Server;

  constructor(parts: RequestServerParts, connectionOf: (socket: Socket) => Connection) {
    this.#parts = parts;
    this.#connectionOf = connectionOf;
    this.#server = this.#createServer();
  }

  /** Takes a connection, at the beginning of a request. */
  take(socket: Socket): void {
    this.#server.emit('connection', socket);
  }

  /** Closes connections that wait for a next request. */
  closeIdle(): void {
    this.#server.closeIdleConnections();
  }

  /** What Node's server does about a head that takes too long, for a connection that is not the server's. */
  timeOut(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    void this.#onParseError(Object.assign(new Error('request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
  }

  #createServer(): Server {
    const { timeouts, headerBytes } = this.#parts;
    const options = {
      maxHeaderSize: headerBytes,
      // A request without Host gets our page, not Node's bare line.
      requireHostHeader: false,
      noDelay: true,
      connectionsCheckingInterval: CHECK_MS,
      headersTimeout: timeouts.header * 1000,
      // Long uploads are not faulty; what must not be slow has limits of its own.
      requestTimeout: 0,
      keepAliveTimeout: timeouts.idle * 1000,
    };
    const server = createHttpServer(options);
    // Node would drop the fields past a count without a word, framing fields too; maxHeaderSize bounds them.
    server.maxHeadersCount = 0;
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
      const { peer, lender, objection } = this.#connectionOf(request.socket);
      this.#open({ request, response, upgrade: null, peer, prior: lender?.prior ?? null, objection });
    };
    server.on('request', onRequest);
    server.on('checkContinue', onRequest);
    server.on('checkExpectation', onRequest);
    server.on('upgrade', (request, socket, head) => void this.#onUpgrade(request, socket, head));
    server.on('connect', (request, socket, head) => void this.#onConnect(request, socket, head));
    server.on('clientError', (error, socket) => void this.#onParseError(error, socket));
    // The server listens to nobody: the door brings its connections. But only this event starts its watch over
    // heads that take too long (see test/wire/limits.test.ts).
    server.emit('listening');
    return server;
  }

  #open(start: ExchangeStart): void {
    const exchange = new Exchange(start);
    this.#connectionOf(start.request.socket).add(exchange);
    this.#parts.serve(exchange);
  }

  async #onUpgrade(request: IncomingMessage, duplex: Duplex, head: Buffer): Promise<void> {
    // Node has let go of the socket: errors on it are ours from here.
    duplex.on('error', () => duplex.destroy());
    const { socket } = request;
    const connection = this.#connectionOf(socket);
    if (!connection.isIdle) {
      // Pipelined behind requests that are not answered yet: the socket is theirs. Closing it after them is an answer.
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
    this.#open({
      request,
      response: responseOn(request, socket),
      upgrade: { socket, head },
      peer: connection.peer,
      prior: null,
    });
  }

  async #onConnect(request: IncomingMessage, duplex: Duplex, head: Buffer): Promise<void> {
    duplex.on('error', () => duplex.destroy());
    const { socket } = request;
    const connection = this.#connectionOf(socket);
    await connection.settledAlone();
    if (socket.destroyed) return;
    const response = responseOn(request, socket);
    const upgrade = { socket, head };
    const exchange = new Exchange({ request, response, upgrade, peer: connection.peer, prior: null });
    connection.add(exchange);
    this.#parts.refuse(exchange, new RouterError('method-refused', 'CONNECT is not served here', { fields: ALLOW }));
  }

  async #onParseError(error: ParseError, duplex: Duplex): Promise<void> {
    const socket = duplex as Socket;
    const connection = this.#connectionOf(socket);
    if (connection.hasFailed) return;
    connection.hasFailed = true;
    const refusal = refusalFor(error, socket.bytesRead === error.rawPacket?.length, this.#parts.headerBytes);
    if (refusal === null || !socket.writable) {
      socket.destroy();
      return;
    }
    const { receiving } = connection;
    if (receiving) {
      receiving.interrupt(refusal);
      return;
    }
    // A bad request behind good ones: their answers come first (RFC 9112 §9.3.2).
    await connection.settled();
    if (socket.destroyed) return;
    const message = this.#parts.errorMessage(refusal);
    this.#parts.recordGarbage(firstLine(error, connection.peer.isHttp2), refusal, connection, message.length);
    socket.end(message, () => connection.lender?.onEnded());
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  }
}

/** Node's server makes no response for an upgrade; until the protocol has switched, it is answered like any request. */
function responseOn(request: IncomingMessage, socket: Socket): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  // The server has let go of the socket: nobody else would wake an answer that waits for a slow client.
  const onDrain = (): unknown => response.emit('drain');
  socket.on('drain', onDrain);
  response.once('finish', () => {
    socket.off('drain', onDrain);
    response.detachSocket(socket);
    socket.end();
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  });
  return response;
}

/** Whether the router passes this upgrade on. A head that cannot be read is not one: it is refused as a plain request. */
function isWebSocket({ method = '', url = '', httpVersion, rawHeaders }: IncomingMessage): boolean {
  try {
    return readHead({ method, target: url, version: httpVersion, rawHeaders }).isWebSocket;
  } catch {
    return false;
  }
}
