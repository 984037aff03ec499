/**
 * Uses Node internals that are not documented (the only other place is cluster/master/bound-socket.ts). Node lets a
 * socket read into a buffer of the caller (`onread`), but only a socket made by `net.connect`. This sets the same
 * internal fields on an accepted socket, which saves a fifth of the cost of a small request. A test at start decides
 * whether it is used.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { intoBuffer } from '../http1/read-buffer.ts';

/** Time limit of the test at start, ms. */
const PROOF_MS = 1_000;

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

/** Ends reading into the buffer: from then on the socket emits `data` again. */
export type EndReads = () => void;

/**
 * Makes an accepted socket read into the shared buffer.
 * @param onBytes called with the bytes, which are valid during the call only; not called after the end
 * @returns null where this is not possible: the socket emits `data`
 */
export function readAccepted(socket: Duplex, onBytes: (bytes: Buffer) => void): EndReads | null {
  const inside = socket as unknown as Inside;
  const { _handle: handle } = inside;
  if (SYMBOLS === null || socket instanceof TLSSocket || typeof handle?.useUserBuffer !== 'function') return null;
  const reads = intoBuffer(onBytes);
  inside[SYMBOLS.buffer] = reads.buffer;
  inside[SYMBOLS.callback] = reads.callback.bind(null);
  handle.useUserBuffer(reads.buffer);
  return () => {
    // Node keeps the buffer. The bytes are pushed to the stream, which applies backpressure.
    inside[SYMBOLS.callback] = intoStream(socket);
  };
}

/** Tests `readAccepted` with a connection of its own, from the first byte to the end of the stream. */
export async function proveAcceptedReads(): Promise<boolean> {
  if (SYMBOLS === null) return false;
  const signal = AbortSignal.timeout(PROOF_MS);
  const server = createServer({ allowHalfOpen: true });
  let client: Socket | null = null;
  let accepted: Socket | null = null;
  try {
    // Not shared with other workers: those that listen on port 0 would get this port.
    server.listen({ port: 0, host: '127.0.0.1', exclusive: true });
    await once(server, 'listening', { signal });
    const { port } = server.address() as AddressInfo;
    client = connect(port, '127.0.0.1').on('error', () => {});
    [accepted] = (await once(server, 'connection', { signal })) as [Socket];
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
    server.close();
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
  const socket = new Socket({ onread: intoBuffer(() => {}) } as object);
  const named = (name: string): symbol | undefined =>
    Object.getOwnPropertySymbols(socket).find(({ description }) => description === name);
  const buffer = named('kBuffer');
  const callback = named('kBufferCb');
  return buffer === undefined || callback === undefined ? null : { buffer, callback };
}
