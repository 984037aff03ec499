/** Clients that are after a handshake, and go away when they have had it. */
import { once } from 'node:events';
import { connect, type ConnectionOptions } from 'node:tls';
import { dial } from './client.ts';

/** What came of a handshake. */
export interface Handshake {
  /** The common name of the server's certificate; null when there was none. */
  readonly name: string | null;
  readonly isReused: boolean;
  /** To come back with; null when the server gave none. */
  readonly session: Buffer | null;
  /** Why it failed: `ERR_SSL_TLSV1_UNRECOGNIZED_NAME`, or how the connection ended. */
  readonly error: string | null;
  readonly protocol: string | null;
  readonly cipher: string | null;
}

/** Shakes hands with a router and asks one question. Never rejects. */
export function shakeHands(port: number, servername: string, options: ConnectionOptions = {}): Promise<Handshake> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false, ...options });
    let session: Buffer | null = null;
    let name: string | null = null;
    let isReused = false;
    let cipher: string | null = null;
    let protocol: string | null = null;
    let error: string | null = null;
    socket.setTimeout(20_000, () => socket.destroy(new Error('nothing within 20 s')));
    socket.on('session', (ticket) => (session = ticket));
    socket.once('secureConnect', () => {
      const { subject } = socket.getPeerCertificate();
      name = subject === undefined ? null : String(subject.CN);
      isReused = socket.isSessionReused();
      cipher = socket.getCipher().name;
      protocol = socket.getProtocol();
      socket.write(`GET / HTTP/1.1\r\nHost: ${servername || 'none.test'}\r\nConnection: close\r\n\r\n`);
    });
    // Tickets of TLS 1.3 come with the answer.
    socket.on('data', () => {});
    socket.once('error', (cause: NodeJS.ErrnoException) => (error = cause.code ?? cause.message));
    socket.once('close', () => {
      if (name === null) error ??= 'closed';
      resolve({ name, isReused, session, error, protocol, cipher });
    });
  });
}

/** Sends a ClientHello of TLS 1.2 with these bytes for a server name, and waits until the router has hung up. */
export async function helloWith(port: number, servername: string): Promise<void> {
  const socket = await dial(port);
  socket.resume();
  socket.setTimeout(20_000, () => socket.destroy());
  const closed = once(socket, 'close');
  socket.end(clientHello(Buffer.from(servername, 'utf8')));
  await closed;
}

/** A ClientHello in one record (RFC 5246 §7.4.1.2, RFC 6066 §3). @param name null for none */
export function clientHello(name: Buffer | null): Buffer {
  const groups = withLength(2, Buffer.from([0, 23]));
  const signatures = withLength(2, Buffer.from([4, 3, 8, 4]));
  const extensions: (readonly [number, Buffer])[] = [
    [10, groups],
    [13, signatures],
  ];
  if (name !== null) extensions.push([0, withLength(2, Buffer.concat([Buffer.from([0]), withLength(2, name)]))]);
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    Buffer.from([0]),
    withLength(2, Buffer.from([0xc0, 0x2b, 0xc0, 0x2f])),
    Buffer.from([1, 0]),
    withLength(
      2,
      Buffer.concat(extensions.map(([type, data]) => Buffer.concat([Buffer.from([0, type]), withLength(2, data)]))),
    ),
  ]);
  return Buffer.concat([
    Buffer.from([0x16, 3, 1]),
    withLength(2, Buffer.concat([Buffer.from([1]), withLength(3, body)])),
  ]);
}

function withLength(bytes: number, data: Buffer): Buffer {
  const length = Buffer.alloc(bytes);
  length.writeUIntBE(data.length, 0, bytes);
  return Buffer.concat([length, data]);
}
