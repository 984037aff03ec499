import type { Duplex } from 'node:stream';
import { Timer, type TimeLimits } from '../clock/time-limits.ts';
import type { Exchange } from './exchange.ts';
import { breakOff } from '../backends/http2/websocket.ts';

/** How long the other side may take to close after one side has, ms. */
const CLOSING_MS = 5_000;

/**
 * Pipes a client's socket and a backend's socket or stream in both directions, with backpressure, until both have
 * ended. An error of one side destroys both; a side that ends lets the other finish.
 * @param idleMs time without bytes in both directions after which the tunnel is closed; 0 is no limit
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
    // Nothing is piped from it any more, but only reading shows its end.
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
