import { createServer as createHttpServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Server as TlsServer, TLSSocket } from 'node:tls';
import type { ListenerConfig, Timeouts } from '../config/config.ts';
import type { ProxiedAddresses } from '../core/proxy-protocol.ts';
import { RouterError } from '../core/errors.ts';
import { type Peer, unmapped } from '../core/forwarded.ts';
import { readHead } from '../core/request-head.ts';
import type { Lane } from '../fastlane/lane.ts';
import type { FullLane } from '../fastlane/parts.ts';
import type { Carrier } from '../http2/carrier.ts';
import type { Errand } from '../http2/parts.ts';
import { askVersion } from '../http2/preface.ts';
import { Sessions } from '../http2/sessions.ts';
import { type ExchangeStart, Exchange } from '../proxy/exchange.ts';
import type { Certificates } from './certificates.ts';
import { clientFieldsOf } from './client-certificate.ts';
import { Connection } from './connection.ts';
import { BACKLOG, Door, type ShutReason } from './door.ts';
import { firstLine, type ParseError, refusalFor } from './parse-error.ts';
import { withoutUpgrade } from './reinject.ts';
import type { Room } from './room.ts';
import { createTls } from './tls.ts';

export interface ListenerParts {
  readonly timeouts: Timeouts;
  readonly headerBytes: number;
  readonly room: Room;
  readonly isTrusted: (address: string) => boolean;
  /** Those of the store. */
  readonly certificates: Certificates;
  /** What session tickets are sealed with at first: 48 bytes, the same in all workers. */
  readonly ticketKeys: Uint8Array;
  /** Told of every connection that comes or goes; null when nobody wants to know. */
  readonly count: ((by: 1 | -1) => void) | null;
  /** Asks for something to listen on, which `take` is given then. */
  readonly wantSocket: (listener: Listener) => void;
  /** Told each time it begins to accept. */
  readonly onOpen: (listener: Listener, address: AddressInfo) => void;
  /** Told when it cannot listen, or accept: EADDRINUSE for example, or EMFILE. */
  readonly onFault: (listener: Listener, error: Error) => void;
  /** Where connections are served first; null for none. */
  readonly lane: Pick<Lane, 'admit'> | null;
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

/**
 * One address that clients come in by: a door, TLS, the fast lane, and behind them Node's HTTP server, with all that it
 * would answer in its own way.
 */
export class Listener {
  readonly config: ListenerConfig;
  readonly #parts: ListenerParts;
  readonly #door: Door;
  readonly #tls: TlsServer | null;
  /** Null where HTTP/2 is not spoken. */
  readonly #http2: Sessions | null;
  readonly #server: Server;
  /** Where it listens: what the configuration says, or what the system gave. */
  #port: number;
  /** How the fast lane sees us. */
  readonly #fullLane: FullLane = {
    adopt: (socket) => {
      this.#server.emit('connection', socket);
      socket.resume();
    },
    serveOnce: (stream, peer, prior, onEnded) => {
      this.#connections.set(stream, new Connection(stream, peer, { prior, onEnded }));
      this.#server.emit('connection', stream as Socket);
    },
    timeOut: (socket, peer) => this.#onHeadTimeout(socket, peer),
  };
  readonly #connections = new WeakMap<Duplex, Connection>();
  /** Connections below TLS, by the same. */
  readonly #raw = new Map<string, Socket>();
  /** Who a load balancer said its clients are, by the address and port that the connection came from. */
  readonly #proxied = new Map<string, ProxiedAddresses>();

  constructor(config: ListenerConfig, parts: ListenerParts) {
    this.config = config;
    this.#port = config.port;
    this.#parts = parts;
    this.#server = this.#createServer();
    this.#http2 = config.http2 ? this.#createHttp2() : null;
    this.#tls =
      config.tls &&
      createTls(config.tls, {
        certificates: parts.certificates,
        handshakeMs: parts.timeouts.header * 1000,
        ticketKeys: parts.ticketKeys,
        speaksHttp2: config.http2,
        rawOf: (socket) => this.#raw.get(clientOf(socket)),
        enter: (socket) => this.#enterSecure(socket),
      });
    this.#door = new Door({
      room: parts.room,
      proxyProtocol: config.proxyProtocol,
      headerMs: parts.timeouts.header * 1000,
      isTrusted: parts.isTrusted,
      count: parts.count,
      wantSocket: () => parts.wantSocket(this),
      onOpen: (address) => {
        this.#port = address.port;
        parts.onOpen(this, address);
      },
      onFault: (error) => parts.onFault(this, error),
      admit: (socket, proxied) => this.#admit(socket, proxied),
    });
  }

  /** What to listen on where nobody else holds a socket for it. */
  get ownPlace(): object {
    const { address: host, port } = this.config;
    return { host, port, backlog: BACKLOG, ipv6Only: host === '::' ? false : undefined };
  }

  /** Begins to accept. */
  open(): void {
    this.#door.open();
  }

  /** Listens on what it has asked for. */
  take(target: object): void {
    this.#door.take(target);
  }

  /** Leaves new connections to others who listen there, until it is reopened. */
  shut(reason: ShutReason): void {
    this.#door.shut(reason);
  }

  /** Takes a reason back. */
  reopen(reason: ShutReason): void {
    this.#door.reopen(reason);
  }

  /** Session tickets are sealed with these from now on; what older ones were sealed with is gone. */
  sealWith(ticketKeys: Uint8Array): void {
    this.#tls?.setTicketKeys(Buffer.from(ticketKeys));
  }

  /** Resolves when it accepts no more. Connections stay; those of HTTP/2 are closed as soon as they rest. */
  async stop(): Promise<void> {
    await this.#door.close();
    this.#http2?.leave();
  }

  /** Closes connections that wait for a next request. */
  closeIdle(): void {
    this.#server.closeIdleConnections();
    this.#http2?.close();
  }

  /** Resolves when all that was answered in HTTP/2 is away, for which clients have a moment. */
  async flushed(): Promise<void> {
    await this.#http2?.ended();
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

  #admit(socket: Socket, proxied: ProxiedAddresses | null): void {
    const client = clientOf(socket);
    if (proxied) {
      this.#proxied.set(client, proxied);
      socket.once('close', () => this.#proxied.delete(client));
    }
    // A TLS server reads from below the socket; what comes after the handshake is passed to #enter.
    if (this.#tls) this.#handshake(this.#tls, socket, client);
    else if (this.#http2 === null) this.#enter(socket, client);
    else askVersion(socket, this.#parts.timeouts.header * 1000, (isHttp2) => this.#enter(socket, client, isHttp2));
  }

  #enterSecure(socket: TLSSocket): void {
    if (this.#certificateFields(socket) === null) socket.destroy();
    else this.#enter(socket, clientOf(socket), socket.alpnProtocol === 'h2');
  }

  /** Null for a client that must not be let in; undefined where clients are asked for no certificate. */
  #certificateFields(socket: Socket): readonly string[] | null | undefined {
    const { tls } = this.config;
    if (tls === null || tls.clientCa.length === 0 || !(socket instanceof TLSSocket)) return undefined;
    return clientFieldsOf(socket, tls);
  }

  #enter(socket: Socket, client: string, isHttp2 = false): void {
    const { lane } = this.#parts;
    if (isHttp2) this.#http2?.admit(socket, this.#peerOf(socket, client));
    else if (lane) lane.admit(socket, this.#peerOf(socket, client), this.#fullLane);
    else this.#fullLane.adopt(socket);
  }

  #handshake(tls: TlsServer, socket: Socket, client: string): void {
    this.#raw.set(client, socket);
    socket.once('close', () => this.#raw.delete(client));
    tls.emit('connection', socket);
  }

  #createHttp2(): Sessions {
    const { timeouts, headerBytes } = this.#parts;
    return new Sessions({
      headerBytes,
      headerMs: timeouts.header * 1000,
      idleMs: timeouts.idle * 1000,
      now: () => performance.now(),
      admit: (carrier, peer, errand) => this.#admitCarrier(carrier, peer, errand),
    });
  }

  /** A connection inside of an HTTP/2 session is served as any other. */
  #admitCarrier(carrier: Carrier, peer: Peer, errand: Errand): void {
    const objection = errand === 'misdirected' ? misdirected() : null;
    this.#connections.set(carrier, new Connection(carrier, peer, null, objection));
    const { lane } = this.#parts;
    const socket = carrier as Duplex as Socket;
    if (lane === null || errand !== 'plain') return this.#fullLane.adopt(socket);
    const adopt = (given: Socket): void => {
      // The next stream is for the fast lane again.
      carrier.isLast = true;
      this.#fullLane.adopt(given);
    };
    lane.admit(socket, peer, { ...this.#fullLane, adopt });
  }

  #connectionOf(socket: Socket): Connection {
    let connection = this.#connections.get(socket);
    if (!connection) {
      const client = clientOf(socket);
      connection = new Connection(socket, this.#peerOf(socket, client));
      this.#connections.set(socket, connection);
    }
    return connection;
  }

  #peerOf(socket: Socket, client: string): Peer {
    const proxied = this.#proxied.get(client);
    const address = unmapped(proxied?.source ?? socket.remoteAddress ?? '');
    const certificateFields = this.#certificateFields(socket);
    return {
      address,
      isTrusted: this.#parts.isTrusted(address),
      isTls: this.config.tls !== null,
      localPort: proxied?.destinationPort ?? this.#port,
      ...(certificateFields && { certificateFields }),
    };
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
      await connection.settled();
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
    await connection.settled();
    if (socket.destroyed) return;
    const response = responseOn(request, socket);
    const upgrade = { socket, head };
    const exchange = new Exchange({ request, response, upgrade, peer: connection.peer, prior: null });
    connection.add(exchange);
    this.#parts.refuse(exchange, new RouterError('method-refused', 'CONNECT is not served here', { fields: ALLOW }));
  }

  /** What Node's server does about a head that takes too long. */
  #onHeadTimeout(socket: Socket, peer: Peer): void {
    this.#connections.set(socket, new Connection(socket, peer));
    socket.on('error', () => socket.destroy());
    void this.#onParseError(Object.assign(new Error('request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
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
    this.#parts.recordGarbage(firstLine(error), refusal, connection, message.length);
    socket.end(message);
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  }
}

function misdirected(): RouterError {
  return new RouterError('misdirected', 'the certificate of this connection does not cover the host');
}

/** A TLS socket and the one below it have this in common, and nothing else that is public. */
function clientOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
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
