/**
 * Uses what Node does not document (the only other place is cluster/master/bound-socket.ts). Node lets a socket read into a buffer of the caller's
 * (`onread`), but only one that is being made by `net.connect`; here an accepted one is told to, in the same words
 * inside. It saves a fifth of what a small request costs. Whether it works is tried before it is used.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { intoBuffer } from '../http1/read-buffer.ts';

/** How long the proof may take, ms. */
const PROOF_MS = 1_000;

interface Symbols {
  readonly buffer: symbol;
  readonly callback: symbol;
}

/** A socket, as far as this file looks inside. */
interface Inside {
  [key: symbol]: unknown;
  readonly _handle?: { readonly useUserBuffer?: (buffer: unknown) => void } | null;
}

/** Node's own names for what `onread` sets; null where they are other ones. */
const SYMBOLS = findSymbols();

/** Ends it: from then on the stream itself gives the bytes, as that of any socket. */
export type EndReads = () => void;

/**
 * Makes an accepted socket read into the shared buffer.
 * @param onBytes told of what came, which is good for the time of the call only; not called again once it was ended
 * @returns null where it cannot be done: the stream gives the bytes
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
    // The buffer stays; what comes is given to the stream, which says when it has enough.
    inside[SYMBOLS.callback] = intoStream(socket);
  };
}

/** Whether a socket of this Node does what `readAccepted` wants of it, from the first byte to the end of the stream. */
export async function proveAcceptedReads(): Promise<boolean> {
  if (SYMBOLS === null) return false;
  const signal = AbortSignal.timeout(PROOF_MS);
  const server = createServer({ allowHalfOpen: true });
  let client: Socket | null = null;
  let accepted: Socket | null = null;
  try {
    // Not shared with other workers: with any port, they would be given the one where a router serves on any port.
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

/** One part into the buffer, a second one from the stream behind what was put back, then the end. */
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
