import { constants, createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type SecureContext, type Server, type TlsOptions, TLSSocket } from 'node:tls';
import type { TlsConfig } from '../config/config.ts';
import { type Certificates, type ClientTrust, NOBODY } from './certificates.ts';

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

/** A listener's TLS: certificates by the name that clients ask for, from the store, else from the configuration. */
export function createTls(tls: TlsConfig, parts: TlsParts): Server {
  const trust = tls.clientCa.length > 0 ? tls.clientCa : NOBODY;
  const options: TlsOptions = {
    ...ownOptions(tls),
    ca: [...trust],
    requestCert: trust !== NOBODY,
    // Where it is false, client-certificate.ts tells who has none from who has a wrong one.
    rejectUnauthorized: trust !== NOBODY && tls.clientCert === 'required',
    handshakeTimeout: parts.handshakeMs,
    // The best first (RFC 7301).
    ALPNProtocols: parts.speaksHttp2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    ecdhCurve: CURVES,
    // The list's order; but who puts ChaCha20 first has no hardware for AES, and is given that.
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_PRIORITIZE_CHACHA,
    sessionTimeout: SESSION_SECONDS,
    sessionIdContext: sessionContext(tls),
    ticketKeys: Buffer.from(parts.ticketKeys),
    SNICallback: choose(tls.cert !== null, trust, parts),
  };
  const server = createServer(options, parts.enter);
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

function ownOptions({ key, cert, ca, passphrase, ciphers, minVersion }: TlsConfig): TlsOptions {
  const options: TlsOptions = { ciphers, minVersion };
  if (key === null || cert === null) return options;
  options.key = key;
  // `ca` is what Hipache called the files to serve besides the certificate: the chain up to, not including, the root.
  options.cert = [cert, ...ca].map((pem) => pem.trimEnd()).join('\n');
  if (passphrase !== null) options.passphrase = passphrase;
  return options;
}

type Choose = (this: unknown, name: string, done: (error: Error | null, context?: SecureContext) => void) => void;

/** Chooses a certificate. @param hasDefault whether there is one for names that the store does not know */
function choose(hasDefault: boolean, trust: ClientTrust, { certificates, rawOf }: TlsParts): Choose {
  return function (name, done) {
    const refuse = (): void => {
      const raw = this instanceof TLSSocket ? rawOf(this) : undefined;
      // Node has no way to send this alert; to end here says as much, only less clearly.
      if (raw === undefined) done(new Error('unrecognized name'));
      else endWith(UNRECOGNIZED_NAME, raw, () => done(new Error('unrecognized name')));
    };
    const go = async (): Promise<void> => {
      try {
        const context = await certificates.find(name, trust);
        if (context !== null) done(null, context);
        else if (hasDefault) done(null);
        else refuse();
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

/** Sessions are good where clients are checked in the same way, and nowhere else: a ticket has the word for it. */
function sessionContext({ clientCa, clientCert }: TlsConfig): string {
  return createHash('sha256')
    .update(JSON.stringify([clientCa, clientCert]))
    .digest('hex')
    .slice(0, 32);
}
