import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { ListenerConfig } from '../config/config.ts';
import type { ProxiedAddresses } from '../core/http/proxy-protocol.ts';
import { RouterError } from '../core/errors.ts';
import type { Activity } from '../core/limits/activity.ts';
import { type Peer, unmapped } from '../core/http/forwarded.ts';
import type { Lane } from '../fastlane/lane.ts';
import type { FullLane } from '../fastlane/parts.ts';
import type { Http1StreamAdapter } from '../http2/http1-stream-adapter.ts';
import type { StreamKind, Http2Refusal } from '../http2/parts.ts';
import { detectHttpVersion } from '../http2/preface.ts';
import { Sessions } from '../http2/sessions.ts';
import type { Certificates } from './certificates.ts';
import { clientFieldsOf } from './client-certificate.ts';
import { Connection } from './connection.ts';
import { BACKLOG, Acceptor, type PauseReason } from './acceptor.ts';
import { RequestServer, type RequestServerParts } from './request-server.ts';
import type { ConnectionLimit } from './connection-limit.ts';
import { createTls, type Tls } from './tls.ts';
import type { TrackedConnection } from './tracked-connection.ts';

export interface ListenerParts extends RequestServerParts {
  readonly connectionLimit: ConnectionLimit;
  readonly isTrusted: (address: string) => boolean;
  /** Those of the store. */
  readonly certificates: Certificates;
  /** What session tickets are sealed with at first: 48 bytes, the same in all workers. */
  readonly ticketKeys: Uint8Array;
  /** Writes down what was refused of HTTP/2 before there was a request. */
  readonly recordHttp2Refusal: (refusal: Http2Refusal, peer: Peer) => void;
  /** Told of every connection that comes or goes; null when nobody wants to know. */
  readonly count: ((by: 1 | -1) => void) | null;
  /** Asks for something to listen on, which `take` is given then. */
  readonly requestSocket: (listener: Listener) => void;
  /** Told each time it begins to accept. */
  readonly onOpen: (listener: Listener, address: AddressInfo) => void;
  /** Told when it cannot listen, or accept: EADDRINUSE for example, or EMFILE. */
  readonly onFault: (listener: Listener, error: Error) => void;
  /** Where connections are served first; null for none. */
  readonly lane: Pick<Lane, 'admit'> | null;
}

/**
 * One address that clients come in by: a door, TLS, HTTP/2, the fast lane, and behind them the full one.
 */
export class Listener {
  readonly config: ListenerConfig;
  readonly #parts: ListenerParts;
  readonly #acceptor: Acceptor;
  readonly #tls: Tls | null;
  /** Null where HTTP/2 is not spoken. */
  readonly #http2: Sessions | null;
  readonly #server: RequestServer;
  /** Where it listens: what the configuration says, or what the system gave. */
  #port: number;
  /** How the fast lane sees us. */
  readonly #fullLane: FullLane = {
    adopt: (socket, activity) => {
      if (activity !== null) this.#connections.set(socket, this.#newConnection(socket, activity));
      this.#server.take(socket);
      socket.resume();
    },
    serveOnce: (stream, peer, prior, onEnded) => {
      this.#connections.set(stream, new Connection(stream, peer, { lender: { prior, onEnded } }));
      this.#server.take(stream as Socket);
    },
    timeOut: (socket, peer) => {
      this.#connections.set(socket, new Connection(socket, peer));
      this.#server.timeOut(socket);
    },
  };
  readonly #connections = new WeakMap<Duplex, Connection>();
  /** Connections below TLS, by the same. */
  readonly #raw = new Map<string, TrackedConnection>();
  /** Who a load balancer said its clients are, by the address and port that the connection came from. */
  readonly #proxied = new Map<string, ProxiedAddresses>();

  constructor(config: ListenerConfig, parts: ListenerParts) {
    this.config = config;
    this.#port = config.port;
    this.#parts = parts;
    this.#server = new RequestServer(parts, (socket) => this.#connectionOf(socket));
    this.#http2 = config.http2 ? this.#createHttp2() : null;
    this.#tls =
      config.tls &&
      createTls(config.tls, {
        certificates: parts.certificates,
        handshakeMs: parts.timeouts.header * 1000,
        ticketKeys: parts.ticketKeys,
        speaksHttp2: config.http2,
        rawOf: (socket) => this.#raw.get(clientOf(socket))?.raw,
        enter: (socket) => this.#enterSecure(socket),
      });
    this.#acceptor = new Acceptor({
      connectionLimit: parts.connectionLimit,
      proxyProtocol: config.proxyProtocol,
      headerMs: parts.timeouts.header * 1000,
      isTrusted: parts.isTrusted,
      count: parts.count,
      requestSocket: () => parts.requestSocket(this),
      onOpen: (address) => {
        this.#port = address.port;
        parts.onOpen(this, address);
      },
      onFault: (error) => parts.onFault(this, error),
      admit: (connection, proxied) => this.#admit(connection, proxied),
    });
  }

  /** What to listen on where nobody else holds a socket for it. */
  get ownTarget(): object {
    const { address: host, port } = this.config;
    return { host, port, backlog: BACKLOG, ipv6Only: host === '::' ? false : undefined };
  }

  /** Begins to accept. */
  open(): void {
    this.#acceptor.open();
  }

  /** Listens on what it has asked for. */
  listen(target: object): void {
    this.#acceptor.listen(target);
  }

  /** Leaves new connections to others who listen there, until it is reopened. */
  pause(reason: PauseReason): void {
    this.#acceptor.pause(reason);
  }

  /** Takes a reason back. */
  resume(reason: PauseReason): void {
    this.#acceptor.resume(reason);
  }

  /** Session tickets are sealed with these from now on; what older ones were sealed with is gone. */
  sealWith(ticketKeys: Uint8Array): void {
    this.#tls?.sealWith(ticketKeys);
  }

  /** Resolves when it accepts no more. Connections stay; those of HTTP/2 are closed as soon as they rest. */
  async stop(): Promise<void> {
    await this.#acceptor.close();
    this.#http2?.leave();
  }

  /** Closes connections that wait for a next request. */
  closeIdle(): void {
    this.#server.closeIdle();
    this.#http2?.close();
  }

  /** Resolves when all that was answered in HTTP/2 is away, for which clients have a moment. */
  async flushed(): Promise<void> {
    await this.#http2?.ended();
  }

  /** HTTP/2 sessions, and the streams on them. */
  get http2(): { readonly sessions: number; readonly streams: number } {
    return { sessions: this.#http2?.size ?? 0, streams: this.#http2?.streams ?? 0 };
  }

  #admit(connection: TrackedConnection, proxied: ProxiedAddresses | null): void {
    const { raw: socket } = connection;
    const client = clientOf(socket);
    if (proxied) {
      this.#proxied.set(client, proxied);
      socket.once('close', () => this.#proxied.delete(client));
    }
    // A TLS server reads from below the socket; what comes after the handshake is passed to #enter.
    if (this.#tls) this.#handshake(this.#tls, connection, client);
    else if (this.#http2 === null) this.#enter(connection, client);
    else
      detectHttpVersion(socket, this.#parts.timeouts.header * 1000, (isHttp2) =>
        this.#enter(connection, client, isHttp2),
      );
  }

  #enterSecure(socket: TLSSocket): void {
    const client = clientOf(socket);
    const connection = this.#raw.get(client);
    // It was closed while its handshake ended.
    if (connection === undefined || this.#certificateFields(socket) === null) {
      socket.destroy();
      return;
    }
    connection.socket = socket;
    this.#enter(connection, client, socket.alpnProtocol === 'h2');
  }

  /** Null for a client that must not be let in; undefined where clients are asked for no certificate. */
  #certificateFields(socket: Socket): readonly string[] | null | undefined {
    const { tls } = this.config;
    if (tls === null || tls.clientCa.length === 0 || !(socket instanceof TLSSocket)) return undefined;
    return clientFieldsOf(socket, tls);
  }

  #enter(connection: TrackedConnection, client: string, isHttp2 = false): void {
    const { lane } = this.#parts;
    const { socket } = connection;
    if (isHttp2) this.#http2?.admit(socket, this.#peerOf(socket, client), connection);
    else if (lane) lane.admit(socket, this.#peerOf(socket, client), this.#fullLane, connection);
    else this.#fullLane.adopt(socket, connection);
  }

  #handshake(tls: Tls, connection: TrackedConnection, client: string): void {
    const { raw: socket } = connection;
    this.#raw.set(client, connection);
    this.#parts.connectionLimit.secured(connection);
    socket.once('close', () => this.#raw.delete(client));
    // One that ends its side within the handshake is not waited for.
    socket.allowHalfOpen = false;
    tls.take(socket);
  }

  #createHttp2(): Sessions {
    const { timeouts, headerBytes } = this.#parts;
    return new Sessions({
      headerBytes,
      headerMs: timeouts.header * 1000,
      idleMs: timeouts.idle * 1000,
      now: () => performance.now(),
      onRefused: this.#parts.recordHttp2Refusal,
      admit: (adapter, peer, kind) => this.#admitAdapter(adapter, peer, kind),
    });
  }

  /** A connection inside of an HTTP/2 session is served as any other. */
  #admitAdapter(adapter: Http1StreamAdapter, peer: Peer, kind: StreamKind): void {
    const objection = kind === 'misdirected' ? misdirected() : null;
    this.#connections.set(adapter, new Connection(adapter, peer, { objection }));
    const { lane } = this.#parts;
    const socket = adapter as Duplex as Socket;
    if (lane === null || kind !== 'plain') return this.#fullLane.adopt(socket, null);
    const adopt = (given: Socket): void => {
      // The next stream is for the fast lane again.
      adapter.isLast = true;
      this.#fullLane.adopt(given, null);
    };
    // The session reports what its streams do.
    lane.admit(socket, peer, { ...this.#fullLane, adopt }, null);
  }

  #connectionOf(socket: Socket): Connection {
    let connection = this.#connections.get(socket);
    if (!connection) {
      connection = this.#newConnection(socket, null);
      this.#connections.set(socket, connection);
    }
    return connection;
  }

  #newConnection(socket: Socket, activity: Activity | null): Connection {
    return new Connection(socket, this.#peerOf(socket, clientOf(socket)), { activity });
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
}

function misdirected(): RouterError {
  return new RouterError('misdirected', 'the certificate of this connection does not cover the host');
}

/** A TLS socket and the one below it have this in common, and nothing else that is public. */
function clientOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
