/**
 * Opens WebSockets, sends one message on each, and keeps them: `idle-websockets.js PORT HOSTS COUNT`. Prints `idle` when
 * all are open, and closes them when it is ended.
 */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { ECHO_HOST } from '../wrk.ts';

/** How many are opened at a time. */
const AT_ONCE = 32;
const OPEN_LIMIT_MS = 10_000;

const [port, , count] = process.argv.slice(2).map(Number);
const open: WebSocket[] = [];
let next = 0;

async function openOne(): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, {
    headers: { host: ECHO_HOST },
    handshakeTimeout: OPEN_LIMIT_MS,
    perMessageDeflate: false,
  });
  open.push(socket);
  const signal = AbortSignal.timeout(OPEN_LIMIT_MS);
  await once(socket, 'open', { signal });
  socket.send('hello');
  await once(socket, 'message', { signal });
  // A WebSocket that is closed makes the memory of the others look smaller than it is.
  socket.once('close', () => process.exit(1));
}

async function openMany(): Promise<void> {
  while (next++ < (count ?? 0)) await openOne();
}

await Promise.all(Array.from({ length: AT_ONCE }, openMany));
process.stdout.write('idle\n');
