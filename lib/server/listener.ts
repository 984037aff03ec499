import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ListenerConfig } from '../config/config.ts';
import { RouterError } from '../core/errors.ts';
import { type Peer, unmapped } from '../core/http/forwarded.ts';
import type { Lane } from '../fastlane/lane.ts';
import type { ReadAccepted } from '../http1/read-buffer.ts';
import type { Http1StreamAdapter } from '../http2/http1-stream-adapter.ts';
import type { Http2Refusal, StreamKind } from '../http2/parts.ts';
import { detectHttpVersion } from '../http2/preface.ts';
import { Sessions } from '../http2/sessions.ts';
import type { Certificates } from './certificates.ts';
import { clientFieldsOf } from './client-certificate.ts';
import { Connection } from './connection.ts';
import { BACKLOG, Acceptor, type PauseReason } from './acceptor.ts';
import { FullLaneEntry } from './full-lane-entry.ts';
import { RequestServer, type RequestServerParts } from './request-server.ts';
import type { ConnectionLimit } from './connection-limit.ts';
import { createTls, type Tls } from './tls.ts';
import type { TrackedConnection } from './tracked-connection.ts';

/** What a Listener needs. */
export interface ListenerParts extends RequestServerParts {
  readonly connectionLimit: ConnectionLimit;
  readonly isTrusted: (address: string) => boolean;
  /** The certificates of the store. */
  readonly certificates: Certificates;
  /** The first keys of session tickets: 48 bytes, the same in all workers. */
  readonly ticketKeys: Uint8Array;
  /** Records what was refused in HTTP/2 before there was a request. */
  readonly recordHttp2Refusal: (refusal: Http2Refusal, peer: Peer) => void;
  /** Makes an HTTP/2 client's socket read into the shared buffer. */
  readonly readAccepted: ReadAccepted;
  /** Called with 1 for each connection accepted and -1 for each one closed; null when nothing counts them. */
  readonly count: ((by: 1 | -1) => void) | null;
  /** Requests a listening socket; the reply comes by `listen`. */
  readonly requestSocket: (listener: Listener) => void;
  /** Called each time accepting starts. */
  readonly onOpen: (listener: Listener, address: AddressInfo) => void;
  /** Called when listening or accepting fails, for example with EADDRINUSE or EMFILE. */
  readonly onFault: (listener: Listener, error: Error) => void;
  /** The fast lane, which gets connections first; null where it is off. */
  readonly lane: Pick<Lane, 'admit'> | null;
}

/**
 * One address that clients connect to: accepts connections, ends TLS, speaks HTTP/2, and gives each connection to the
 * fast lane or the full lane. The record of a connection is its TrackedConnection.
 */
export class Listener {
  readonly config: ListenerConfig;
  readonly #parts: ListenerParts;
  readonly #acceptor: Acceptor;
  readonly #tls: Tls | null;
  /** Null where HTTP/2 is off. */
  readonly #http2: Sessions | null;
  readonly #server: RequestServer;
  /** The port that it listens on: the configured one, or the kernel's choice. */
  #port: number;

  constructor(config: ListenerConfig, parts: ListenerParts) {
    this.config = config;
    this.#port = config.port;
    this.#parts = parts;
    this.#server = new RequestServer(parts);
    this.#http2 = config.http2 ? this.#createHttp2() : null;
    this.#tls =
      config.tls &&
      createTls(config.tls, {
        certificates: parts.certificates,
        handshakeMs: parts.timeouts.header * 1000,
        ticketKeys: parts.ticketKeys,
        speaksHttp2: config.http2,
        enter: (connection, socket) => this.#enterSecure(connection, socket),
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
      admit: (connection) => this.#admit(connection),
    });
  }

  /** What to listen on when the master holds no socket for this listener. */
  get ownTarget(): object {
    const { address: host, port } = this.config;
    return { host, port, backlog: BACKLOG, ipv6Only: host === '::' ? false : undefined };
  }

  /** Starts to accept. */
  open(): void {
    this.#acceptor.open();
  }

  /** Listens on the socket that it requested. */
  listen(target: object): void {
    this.#acceptor.listen(target);
  }

  /** Stops accepting until `resume` was called with the same reason; other workers accept meanwhile. */
  pause(reason: PauseReason): void {
    this.#acceptor.pause(reason);
  }

  /** Removes a reason, and accepts again when no other is left. */
  resume(reason: PauseReason): void {
    this.#acceptor.resume(reason);
  }

  /** Sets the keys of session tickets. Tickets sealed with older keys are no longer accepted. */
  sealWith(ticketKeys: Uint8Array): void {
    this.#tls?.sealWith(ticketKeys);
  }

  /** Resolves when it accepts no more. Connections stay open; HTTP/2 sessions are closed as soon as they are idle. */
  async stop(): Promise<void> {
    await this.#acceptor.close();
    this.#http2?.leave();
  }

  /** Closes connections that wait for a next request. */
  closeIdle(): void {
    this.#server.closeIdle();
    this.#http2?.close();
  }

  /** Resolves when all HTTP/2 sessions have ended; each has a moment to send its last bytes. */
  async flushed(): Promise<void> {
    await this.#http2?.ended();
  }

  /** Ends what it does in the background, after the last request. */
  close(): void {
    this.#server.close();
  }

  /** The number of HTTP/2 sessions, and of the streams in them. */
  get http2(): { readonly sessions: number; readonly streams: number } {
    return { sessions: this.#http2?.size ?? 0, streams: this.#http2?.streams ?? 0 };
  }

  #admit(connection: TrackedConnection): void {
    if (this.#tls) this.#handshake(this.#tls, connection);
    else if (this.#http2 === null) this.#enter(connection);
    else {
      const limitMs = this.#parts.timeouts.header * 1000;
      detectHttpVersion(connection.raw, limitMs, (isHttp2) => this.#enter(connection, isHttp2));
    }
  }

  #handshake(tls: Tls, connection: TrackedConnection): void {
    this.#parts.connectionLimit.secured(connection);
    // A client that ends its side within the handshake is not waited for.
    connection.raw.allowHalfOpen = false;
    tls.take(connection);
  }

  #enterSecure(connection: TrackedConnection, socket: TLSSocket): void {
    if (this.#certificateFields(socket) === null) {
      socket.destroy();
      return;
    }
    connection.socket = socket;
    this.#enter(connection, socket.alpnProtocol === 'h2');
  }

  #enter(connection: TrackedConnection, isHttp2 = false): void {
    const { lane } = this.#parts;
    const { socket } = connection;
    const peer = this.#peerOf(connection);
    if (isHttp2) {
      this.#http2?.admit(socket, peer, connection);
      return;
    }
    const entry = new FullLaneEntry(this.#server, peer, connection);
    if (lane) lane.admit(socket, peer, entry, connection);
    else entry.adopt(socket);
  }

  #createHttp2(): Sessions {
    const { timeouts, headerBytes } = this.#parts;
    return new Sessions({
      headerBytes,
      headerMs: timeouts.header * 1000,
      idleMs: timeouts.idle * 1000,
      windowMs: timeouts.response * 1000,
      now: () => performance.now(),
      onRefused: this.#parts.recordHttp2Refusal,
      readAccepted: this.#parts.readAccepted,
      admit: (adapter, peer, kind) => this.#admitAdapter(adapter, peer, kind),
    });
  }

  /** Serves the streams of an HTTP/2 session: each adapter is a connection like any other. */
  #admitAdapter(adapter: Http1StreamAdapter, peer: Peer, kind: StreamKind): void {
    const { lane } = this.#parts;
    if (lane === null || kind !== 'plain') {
      this.#server.take(new Connection(adapter, peer, { rejection: rejectionOf(kind) }));
      adapter.resume();
      return;
    }
    // Once the full lane has an adapter, it keeps it: the session's next stream gets a new one, and the fast lane.
    const onAdopt = (): void => {
      adapter.isLast = true;
    };
    lane.admit(adapter, peer, new FullLaneEntry(this.#server, peer, null, onAdopt), null);
  }

  #peerOf({ socket, proxied }: TrackedConnection): Peer {
    const address = unmapped(proxied?.source ?? socket.remoteAddress ?? '');
    const certificateFields = socket instanceof TLSSocket ? this.#certificateFields(socket) : undefined;
    return {
      address,
      isTrusted: this.#parts.isTrusted(address),
      isTls: this.config.tls !== null,
      localPort: proxied?.destinationPort ?? this.#port,
      ...(certificateFields && { certificateFields }),
    };
  }

  /** The certificate fields for backends; null for a client that must be refused, undefined where no certificate is asked for. */
  #certificateFields(socket: TLSSocket): readonly string[] | null | undefined {
    const { tls } = this.config;
    if (tls === null || tls.clientCa.length === 0) return undefined;
    return clientFieldsOf(socket, tls);
  }
}

/** Why streams of a kind are refused; null where they are served. */
function rejectionOf(kind: StreamKind): RouterError | null {
  switch (kind) {
    case 'misdirected':
      return new RouterError('misdirected', 'the certificate of this connection does not cover the host');
    case 'too-large':
      return new RouterError('head-too-large', 'the fields of the request are too large');
    case 'plain':
    case 'tunnel':
      return null;
  }
}
