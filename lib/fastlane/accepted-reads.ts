/**
 * Uses Node internals that are not documented (the only other place is cluster/master/bound-socket.ts). Node lets a
 * socket read into a buffer of the caller (`onread`), but only a socket made by `net.connect`. This sets the same
 * internal fields on an accepted socket, TLS or not, which saves a fifth of the cost of a small request; and on both
 * sockets of a WebSocket. A test at start decides whether it is used.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, createServer as createTlsServer, TLSSocket } from 'node:tls';
import { type EndReads, type ReadAccepted, readsOf, SHARED } from '../http1/read-buffer.ts';

/** Time limit of the tests at start, ms. */
const PROOF_MS = 1_000;
/**
 * For the test with TLS, which has no certificate: both sides have the same key (RFC 4279). Nothing secret is sent, and
 * only this process can connect in time.
 */
const PROOF_TLS = {
  ciphers: 'PSK-AES128-GCM-SHA256',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
} as const;
const PROOF_KEY = Buffer.alloc(16, 'proof');

interface Symbols {
  readonly buffer: symbol;
  readonly callback: symbol;
}

/** The internal fields of a socket that are used here. */
interface Inside {
  [key: symbol]: unknown;
  readonly _handle?: { readonly useUserBuffer?: (buffer: unknown) => void } | null;
}

/** The symbols under which Node keeps what `onread` sets; null where this Node has others. */
const SYMBOLS = findSymbols();

/** Makes an accepted socket read into the shared buffer, as `ReadAccepted` says. Proved by `proveAcceptedReads`. */
export const readAccepted: ReadAccepted = (socket, onBytes) => {
  if (!(socket instanceof Socket)) return null;
  const inside = socket as unknown as Inside;
  const { _handle: handle } = inside;
  if (SYMBOLS === null || typeof handle?.useUserBuffer !== 'function') return null;
  inside[SYMBOLS.buffer] = SHARED;
  inside[SYMBOLS.callback] = readsOf(onBytes);
  handle.useUserBuffer(SHARED);
  return () => {
    // Node keeps the buffer. The bytes are pushed to the stream, which applies backpressure.
    inside[SYMBOLS.callback] = intoStream(socket);
  };
};

const readPlain: ReadAccepted = (socket, onBytes) =>
  socket instanceof TLSSocket ? null : readAccepted(socket, onBytes);

/** For a Node whose sockets cannot be read in this way, and for `server.sharedReads` off. */
export const readNone: ReadAccepted = () => null;

/**
 * Tests `readAccepted` with connections of its own, from the first byte to the end of the stream.
 * @returns the function for the sockets, with TLS or without, that passed
 */
export async function proveAcceptedReads(): Promise<ReadAccepted> {
  if (SYMBOLS === null) return readNone;
  const [isProved, isProvedTls] = await Promise.all([passes(PLAIN), passes(TLS)]);
  return !isProved ? readNone : isProvedTls ? readAccepted : readPlain;
}

/** A kind of socket to test. */
interface Proof {
  readonly createServer: () => Server;
  readonly connect: (port: number) => Socket;
  /** The event of the server that has the accepted socket. */
  readonly accepts: string;
}

const PLAIN: Proof = {
  createServer: () => createServer({ allowHalfOpen: true }),
  connect: (port) => connect(port, '127.0.0.1'),
  accepts: 'connection',
};

const TLS: Proof = {
  createServer: () => createTlsServer({ ...PROOF_TLS, allowHalfOpen: true, pskCallback: () => PROOF_KEY }),
  connect: (port) =>
    connectTls({
      ...PROOF_TLS,
      port,
      host: '127.0.0.1',
      pskCallback: () => ({ identity: 'proof', psk: PROOF_KEY }),
      checkServerIdentity: () => undefined,
    }),
  accepts: 'secureConnection',
};

async function passes(proof: Proof): Promise<boolean> {
  const signal = AbortSignal.timeout(PROOF_MS);
  let server: Server | null = null;
  let client: Socket | null = null;
  let accepted: Socket | null = null;
  try {
    // Without its ciphers, Node does not even make the server.
    server = proof.createServer();
    // Not shared with other workers: those that listen on port 0 would get this port.
    server.listen({ port: 0, host: '127.0.0.1', exclusive: true });
    await once(server, 'listening', { signal });
    const { port } = server.address() as AddressInfo;
    client = proof.connect(port).on('error', () => {});
    [accepted] = (await once(server, proof.accepts, { signal })) as [Socket];
    return await isAsPromised(
      accepted.on('error', () => {}),
      client,
      signal,
    );
  } catch {
    return false;
  } finally {
    accepted?.destroy();
    client?.destroy();
    server?.close();
  }
}

/** Reads one part into the buffer, a second one from the stream behind bytes that were put back, then the end. */
async function isAsPromised(accepted: Socket, client: Socket, signal: AbortSignal): Promise<boolean> {
  let end: EndReads | null = null;
  const first = new Promise<string>((resolve) => {
    end = readAccepted(accepted, (bytes) => resolve(bytes.toString('latin1')));
  });
  if (end === null) return false;
  accepted.resume();
  client.write('first');
  if ((await Promise.race([first, aborted(signal)])) !== 'first') return false;
  (end as EndReads)();
  accepted.pause();
  accepted.unshift(Buffer.from('again '));
  let rest = '';
  accepted.on('data', (bytes: Buffer) => (rest += bytes.toString('latin1')));
  accepted.resume();
  client.end('second');
  await once(accepted, 'end', { signal });
  return rest === 'again second';
}

async function aborted(signal: AbortSignal): Promise<null> {
  if (!signal.aborted) await once(signal, 'abort');
  return null;
}

function intoStream(socket: Duplex): (length: number, buffer: Buffer) => boolean {
  return (length, buffer) => socket.push(Buffer.from(buffer.subarray(0, length)));
}

function findSymbols(): Symbols | null {
  const socket = new Socket({ onread: { buffer: SHARED, callback: () => true } } as object);
  const named = (name: string): symbol | undefined =>
    Object.getOwnPropertySymbols(socket).find(({ description }) => description === name);
  const buffer = named('kBuffer');
  const callback = named('kBufferCb');
  return buffer === undefined || callback === undefined ? null : { buffer, callback };
}
