import { constants, createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TlsOptions,
  TLSSocket,
} from 'node:tls';
import type { TlsConfig } from '../config/config.ts';
import { clientKey } from '../core/limits/client-key.ts';
import { type Certificates, type ClientTrust, NO_CLIENT_TRUST } from './certificates.ts';
import { awaitClientHello } from './server-naming.ts';
import type { TrackedConnection } from './tracked-connection.ts';

/** What `createTls` needs besides the configuration. */
export interface TlsParts {
  readonly certificates: Certificates;
  /** How long a handshake may take, ms; 0 is no limit. */
  readonly handshakeMs: number;
  /** The keys of session tickets: 48 bytes, the same in all workers. */
  readonly ticketKeys: Uint8Array;
  readonly speaksHttp2: boolean;
  /** Takes over a connection whose handshake is done. @param socket the TLS socket above it */
  readonly enter: (connection: TrackedConnection, socket: TLSSocket) => void;
}

/** Mozilla's "intermediate": https://wiki.mozilla.org/Security/Server_Side_TLS */
const CURVES = 'X25519:prime256v1:secp384r1';
/** How long a client may resume a session, s. Ticket keys may be replaced earlier. */
const SESSION_SECONDS = 7_200;
/** A fatal alert, unrecognized_name (RFC 8446 §5.1 and §6): before the server's first message nothing is encrypted. */
const UNRECOGNIZED_NAME = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x70]);
/** How long to wait until the alert is written, ms. */
const LINGER_MS = 2_000;

/** The TLS of one listener. */
export interface Tls {
  /** Does the handshake of a connection, whose socket may be paused. A failed handshake closes the connection. */
  take(connection: TrackedConnection): void;
  /** Sets the keys of session tickets: 48 bytes. Tickets sealed with older keys are no longer accepted. */
  sealWith(ticketKeys: Uint8Array): void;
}

/**
 * Makes the TLS servers of a listener. A client gets the store's certificate for the name that it sends (SNI), else the
 * configuration's. OpenSSL keeps one certificate per type of key, and Node adds the chosen certificate to those of the
 * server. If the server had the configuration's certificate, a client that prefers the other type of key would get that
 * one, or its chain. So clients that send a name get a server without a certificate. Clients that send none, for which
 * Node calls no SNICallback, get a second server with the configuration's certificate.
 */
export function createTls(tls: TlsConfig, parts: TlsParts): Tls {
  const trust = tls.clientCa.length > 0 ? tls.clientCa : NO_CLIENT_TRUST;
  const own = ownPair(tls);
  const accepted = new AcceptedConnections();
  const onSecure = (socket: TLSSocket): void => {
    const connection = accepted.find(socket);
    // Undefined when the client closed the connection while the handshake ended.
    if (connection === undefined) socket.destroy();
    else parts.enter(connection, socket);
  };
  const make = (kind: string, options: TlsOptions): Server => {
    const sessionIdContext = sessionContext(tls, kind);
    const server = createServer({ ...commonOptions(tls, trust, parts), ...options, sessionIdContext }, onSecure);
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    return server;
  };
  const { ciphers, minVersion } = tls;
  // A list of ciphers may allow keys that OpenSSL refuses by default.
  const fallback = own && createSecureContext({ ...own, ciphers, minVersion, ca: [...trust] });
  const named = make('named', { SNICallback: choose(fallback, trust, parts.certificates, accepted) });
  const nameless = own && make('nameless', own);
  return {
    take: (connection) => {
      const { raw: socket } = connection;
      accepted.add(connection);
      if (nameless === null) named.emit('connection', socket);
      else
        awaitClientHello(socket, parts.handshakeMs, (isNamed) =>
          (isNamed ? named : nameless).emit('connection', socket),
        );
    },
    sealWith: (ticketKeys) => {
      for (const server of [named, nameless]) server?.setTicketKeys(Buffer.from(ticketKeys));
    },
  };
}

/** Finds the accepted connection below a TLS socket. Node exposes no link; the two have the peer's address and port in common. */
class AcceptedConnections {
  readonly #byPeer = new Map<string, TrackedConnection>();

  add(connection: TrackedConnection): void {
    const key = peerOf(connection.raw);
    this.#byPeer.set(key, connection);
    connection.raw.once('close', () => {
      if (this.#byPeer.get(key) === connection) this.#byPeer.delete(key);
    });
  }

  find(socket: TLSSocket): TrackedConnection | undefined {
    return this.#byPeer.get(peerOf(socket));
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function commonOptions(tls: TlsConfig, trust: ClientTrust, parts: TlsParts): TlsOptions {
  return {
    ciphers: tls.ciphers,
    minVersion: tls.minVersion,
    ca: [...trust],
    requestCert: trust !== NO_CLIENT_TRUST,
    // Where it is false, client-certificate.ts accepts clients without a certificate and refuses those with a bad one.
    rejectUnauthorized: trust !== NO_CLIENT_TRUST && tls.clientCert === 'required',
    handshakeTimeout: parts.handshakeMs,
    // In order of preference (RFC 7301).
    ALPNProtocols: parts.speaksHttp2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    ecdhCurve: CURVES,
    // The server's order decides, except that a client which lists ChaCha20 first (no AES hardware) gets ChaCha20.
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_PRIORITIZE_CHACHA,
    sessionTimeout: SESSION_SECONDS,
    ticketKeys: Buffer.from(parts.ticketKeys),
  };
}

/** The configuration's certificate with its chain and key; null if it has none. */
function ownPair({
  key,
  cert,
  ca,
  passphrase,
}: TlsConfig): Pick<SecureContextOptions, 'key' | 'cert' | 'passphrase'> | null {
  if (key === null || cert === null) return null;
  // Hipache's `ca` are the intermediate certificates: the chain without the root.
  const chain = [cert, ...ca].map((pem) => pem.trimEnd()).join('\n');
  return { key, cert: chain, ...(passphrase !== null && { passphrase }) };
}

type Choose = (this: unknown, name: string, done: (error: Error | null, context?: SecureContext) => void) => void;

/** The SNICallback. @param fallback for names without a certificate in the store; null refuses them */
function choose(
  fallback: SecureContext | null,
  trust: ClientTrust,
  certificates: Certificates,
  accepted: AcceptedConnections,
): Choose {
  return function (name, done) {
    const connection = this instanceof TLSSocket ? accepted.find(this) : undefined;
    const client = clientKey(connection?.proxied?.source ?? connection?.raw.remoteAddress ?? '');
    const refuse = (): void => {
      const raw = connection?.raw;
      // Node cannot send this alert, so it is written to the socket below. Without that socket, Node sends another alert.
      if (raw === undefined) done(new Error('unrecognized name'));
      else endWith(UNRECOGNIZED_NAME, raw, () => done(new Error('unrecognized name')));
    };
    const go = async (): Promise<void> => {
      try {
        const context = (await certificates.find(name, trust, client)) ?? fallback;
        if (context === null) refuse();
        else done(null, context);
      } catch (error) {
        // A bug in the router ends one handshake, not the worker.
        done(error instanceof Error ? error : new Error(String(error)));
      }
    };
    void go();
  };
}

function endWith(bytes: Buffer, raw: Socket, over: () => void): void {
  const timer = setTimeout(over, LINGER_MS);
  raw.on('error', () => {});
  raw.once('close', () => clearTimeout(timer));
  raw.end(bytes, () => {
    clearTimeout(timer);
    over();
  });
}

/**
 * The context that a session ticket is bound to: a session can be resumed only where clients are checked in the same way.
 * @param kind separates sessions of clients that sent a name from those of clients that sent none
 */
function sessionContext({ clientCa, clientCert }: TlsConfig, kind: string): string {
  return createHash('sha256')
    .update(JSON.stringify([clientCa, clientCert, kind]))
    .digest('hex')
    .slice(0, 32);
}
