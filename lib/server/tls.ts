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
import { type Certificates, type ClientTrust, NO_CLIENT_TRUST } from './certificates.ts';
import { awaitClientHello } from './server-naming.ts';

/** What a TLS server is made of, besides its configuration. */
export interface TlsParts {
  readonly certificates: Certificates;
  /** How long a handshake may take, ms; 0 for ever. */
  readonly handshakeMs: number;
  /** What the session tickets of all workers are sealed with: 48 bytes. */
  readonly ticketKeys: Uint8Array;
  readonly speaksHttp2: boolean;
  /** The connection below a TLS socket. */
  readonly rawOf: (socket: TLSSocket) => Socket | undefined;
  /** Takes a connection whose handshake is done. */
  readonly enter: (socket: TLSSocket) => void;
}

/** Mozilla's "intermediate": https://wiki.mozilla.org/Security/Server_Side_TLS */
const CURVES = 'X25519:prime256v1:secp384r1';
/** How long a client may come back with a session, s. Its ticket's keys may be gone before. */
const SESSION_SECONDS = 7_200;
/** A fatal alert, unrecognized_name (RFC 8446 §5.1 and §6): before the server's first message nothing is encrypted. */
const UNRECOGNIZED_NAME = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x70]);
/** For a client to take the alert, ms. */
const LINGER_MS = 2_000;

/** A listener's TLS. */
export interface Tls {
  /** Makes the handshake with a client, whose connection may be paused. */
  take(socket: Socket): void;
  /** Session tickets are sealed with these from now on: 48 bytes. */
  sealWith(ticketKeys: Uint8Array): void;
}

/**
 * Certificates by the name that clients ask for, from the store, else from the configuration. Node adds what is chosen for a
 * name to what its server has, one certificate for each type of key: a client would be shown the configuration's
 * wherever it prefers the other type, or the chain of that where a site has none. So the server for clients that name
 * a host has no certificate; those that name none, which Node lets nobody choose for, have a server of their own.
 */
export function createTls(tls: TlsConfig, parts: TlsParts): Tls {
  const trust = tls.clientCa.length > 0 ? tls.clientCa : NO_CLIENT_TRUST;
  const own = ownPair(tls);
  const make = (kind: string, options: TlsOptions): Server => {
    const sessionIdContext = sessionContext(tls, kind);
    const server = createServer({ ...commonOptions(tls, trust, parts), ...options, sessionIdContext }, parts.enter);
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    return server;
  };
  const { ciphers, minVersion } = tls;
  // A list of ciphers may allow keys that OpenSSL refuses otherwise.
  const fallback = own && createSecureContext({ ...own, ciphers, minVersion, ca: [...trust] });
  const named = make('named', { SNICallback: choose(fallback, trust, parts) });
  const nameless = own && make('nameless', own);
  return {
    take: (socket) => {
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

function commonOptions(tls: TlsConfig, trust: ClientTrust, parts: TlsParts): TlsOptions {
  return {
    ciphers: tls.ciphers,
    minVersion: tls.minVersion,
    ca: [...trust],
    requestCert: trust !== NO_CLIENT_TRUST,
    // Where it is false, client-certificate.ts tells who has none from who has a wrong one.
    rejectUnauthorized: trust !== NO_CLIENT_TRUST && tls.clientCert === 'required',
    handshakeTimeout: parts.handshakeMs,
    // The best first (RFC 7301).
    ALPNProtocols: parts.speaksHttp2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    ecdhCurve: CURVES,
    // The list's order; but who puts ChaCha20 first has no hardware for AES, and is given that.
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_PRIORITIZE_CHACHA,
    sessionTimeout: SESSION_SECONDS,
    ticketKeys: Buffer.from(parts.ticketKeys),
  };
}

/** The configuration's certificate, its chain and its key; null without one. */
function ownPair({
  key,
  cert,
  ca,
  passphrase,
}: TlsConfig): Pick<SecureContextOptions, 'key' | 'cert' | 'passphrase'> | null {
  if (key === null || cert === null) return null;
  // `ca` is what Hipache called the files to serve besides the certificate: the chain up to, not including, the root.
  const chain = [cert, ...ca].map((pem) => pem.trimEnd()).join('\n');
  return { key, cert: chain, ...(passphrase !== null && { passphrase }) };
}

type Choose = (this: unknown, name: string, done: (error: Error | null, context?: SecureContext) => void) => void;

/** Chooses a certificate. @param fallback for names that the store does not know; null for none */
function choose(fallback: SecureContext | null, trust: ClientTrust, { certificates, rawOf }: TlsParts): Choose {
  return function (name, done) {
    const refuse = (): void => {
      const raw = this instanceof TLSSocket ? rawOf(this) : undefined;
      // Node has no way to send this alert; to end here says as much, only less clearly.
      if (raw === undefined) done(new Error('unrecognized name'));
      else endWith(UNRECOGNIZED_NAME, raw, () => done(new Error('unrecognized name')));
    };
    const go = async (): Promise<void> => {
      try {
        const context = (await certificates.find(name, trust)) ?? fallback;
        if (context === null) refuse();
        else done(null, context);
      } catch (error) {
        // A mistake of ours ends one handshake.
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
 * Sessions are good where clients are checked in the same way, and nowhere else: a ticket has the word for it.
 * @param kind one that began with a name is not for a client that has none, nor the reverse
 */
function sessionContext({ clientCa, clientCert }: TlsConfig, kind: string): string {
  return createHash('sha256')
    .update(JSON.stringify([clientCa, clientCert, kind]))
    .digest('hex')
    .slice(0, 32);
}
