import type { FileHandle } from 'node:fs/promises';
import type { Exchange } from '../exchange.ts';
import { isSlowed, openFlow, type SlowFlowParts } from '../slow-flow.ts';
import { close } from './open-below.ts';

/** Bytes read and written at a time: most files are smaller. */
const PIECE = 65_536;

/** The part of a file that is the body of a response. */
export interface FilePart {
  readonly start: number;
  readonly length: number;
}

/** The dependencies of `sendBody`. */
export interface FileBodyParts extends SlowFlowParts {
  /** Called on progress. */
  readonly onMove: () => void;
}

/**
 * Sends part of a file as the body of a response whose head was written, at the client's pace, and closes the file.
 * Cuts the client off when the file has become shorter, or cannot be read. Never rejects.
 */
export async function sendBody(
  exchange: Exchange,
  handle: FileHandle,
  part: FilePart,
  parts: FileBodyParts,
): Promise<void> {
  try {
    await pass(exchange, handle, part, parts);
  } catch {
    exchange.cut();
  }
  await close({ handle });
}

async function pass(exchange: Exchange, handle: FileHandle, part: FilePart, parts: FileBodyParts): Promise<void> {
  const { response } = exchange;
  const { onMove } = parts;
  let { start: at, length: left } = part;
  let isHeld = false;
  let goOn: (() => void) | null = null;
  const resume = (): void => {
    isHeld = false;
    goOn?.();
  };
  const pause = (): void => {
    isHeld = true;
  };
  const write = (bytes: Buffer): void => {
    onMove();
    if (response.write(bytes)) return;
    if (flow === null) pause();
    else flow.block();
  };
  const flow = isSlowed(exchange) ? openFlow(exchange, parts, { pass: write, pause, resume }) : null;
  // The client has read what was written, or has left.
  response.on('drain', () => (flow === null ? resume() : flow.unblock()));
  void exchange.ended.then(resume);
  while (!exchange.isEnded) {
    onMove();
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(Math.min(PIECE, left)), 0, null, at);
    if (exchange.isEnded) return;
    // A partial file must not look like a whole one, nor leave the client waiting for the rest.
    if (bytesRead === 0) return exchange.cut();
    onMove();
    exchange.bytesSent += bytesRead;
    const bytes = buffer.subarray(0, bytesRead);
    const isLast = bytesRead === left;
    if (isLast && flow === null) {
      response.end(bytes);
      return;
    }
    if (flow === null) write(bytes);
    else flow.write(bytes);
    if (isLast) return flow?.end(() => response.end());
    at += bytesRead;
    left -= bytesRead;
    if (!isHeld) continue;
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
  }
}
