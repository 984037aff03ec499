import type { Duplex } from 'node:stream';
import { Timer, type TimeLimits } from '../clock/time-limits.ts';
import type { Exchange } from './exchange.ts';
import { breakOff } from '../backends/http2/websocket.ts';

/** How long the other side may take to close after one side has, ms. */
const CLOSING_MS = 5_000;

/**
 * Joins a client's socket and a backend's, or its stream, both ways, with backpressure, until both have ended.
 * A side that breaks off takes the other with it; a side that ends politely lets the other finish.
 * @param idleMs silence of both sides that ends the tunnel; 0 for none
 */
export function join(exchange: Exchange, client: Duplex, backend: Duplex, clock: TimeLimits, idleMs: number): void {
  const destroyBoth = (): void => {
    breakOff(client);
    breakOff(backend);
  };
  const timer = new Timer(destroyBoth);
  let isClosing = false;
  const onBytes = (): void => {
    if (!isClosing) clock.set(timer, idleMs);
  };
  const onClosed = (other: Duplex) => (): void => {
    isClosing = true;
    if (!other.writableEnded) other.end();
    if (other.destroyed) return;
    clock.set(timer, CLOSING_MS);
    // Nothing is piped from it any more: without reading its end would not be seen.
    other.resume();
  };

  client.on('error', destroyBoth);
  backend.on('error', destroyBoth);
  client.once('close', onClosed(backend));
  backend.once('close', onClosed(client));
  client.on('data', onBytes);
  backend.on('data', (chunk: Buffer) => {
    exchange.bytesSent += chunk.length;
    onBytes();
  });
  client.pipe(backend);
  backend.pipe(client);
  exchange.onInterrupt = destroyBoth;
  void exchange.ended.then(() => {
    clock.clear(timer);
    breakOff(backend);
  });
  onBytes();
}
