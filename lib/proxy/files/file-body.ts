import type { FileHandle } from 'node:fs/promises';
import type { Exchange } from '../exchange.ts';
import { close } from './open-below.ts';

/** Bytes read and written at a time: most files are smaller. */
const PIECE = 65_536;

/** The part of a file that is the body of a response. */
export interface FilePart {
  readonly start: number;
  readonly length: number;
}

/**
 * Sends part of a file as the body of a response whose head was written, at the client's pace, and closes the file.
 * Cuts the client off when the file has become shorter, or cannot be read. Never rejects.
 * @param onMove called on progress
 */
export async function sendBody(
  exchange: Exchange,
  handle: FileHandle,
  part: FilePart,
  onMove: () => void,
): Promise<void> {
  try {
    await pass(exchange, handle, part, onMove);
  } catch {
    exchange.cut();
  }
  await close({ handle });
}

async function pass(exchange: Exchange, handle: FileHandle, part: FilePart, onMove: () => void): Promise<void> {
  const { response } = exchange;
  let { start: at, length: left } = part;
  let goOn: (() => void) | null = null;
  // The client has read what was written, or has left.
  response.on('drain', () => goOn?.());
  void exchange.ended.then(() => goOn?.());
  while (!exchange.isEnded) {
    onMove();
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(Math.min(PIECE, left)), 0, null, at);
    if (exchange.isEnded) return;
    // A partial file must not look like a whole one, nor leave the client waiting for the rest.
    if (bytesRead === 0) return exchange.cut();
    onMove();
    exchange.bytesSent += bytesRead;
    const bytes = buffer.subarray(0, bytesRead);
    if (bytesRead === left) {
      response.end(bytes);
      return;
    }
    at += bytesRead;
    left -= bytesRead;
    if (response.write(bytes)) continue;
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
  }
}
