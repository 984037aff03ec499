/**
 * Sends WebSocket messages, each after the last came back: `websockets.js PORT CONNECTIONS SECONDS BYTES`. Prints one
 * line with what was echoed.
 */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { ECHO_HOST } from '../wrk.ts';

const OPEN_LIMIT_MS = 10_000;

const [port, connections = 1, seconds = 1, bytes = 1] = process.argv.slice(2).map(Number);
const message = Buffer.alloc(bytes, 'x');
let echoed = 0;
let isOver = false;

async function open(): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, {
    headers: { host: ECHO_HOST },
    handshakeTimeout: OPEN_LIMIT_MS,
    perMessageDeflate: false,
  });
  await once(socket, 'open');
  socket.on('message', () => {
    echoed++;
    if (!isOver) socket.send(message);
  });
  socket.on('close', () => {
    if (!isOver) throw new Error('a WebSocket was closed');
  });
  return socket;
}

const sockets = await Promise.all(Array.from({ length: connections }, open));
const start = performance.now();
for (const socket of sockets) socket.send(message);
await delay(seconds * 1000);
isOver = true;
process.stdout.write(`figures messages=${echoed} micros=${Math.round((performance.now() - start) * 1000)}\n`);
for (const socket of sockets) socket.terminate();
