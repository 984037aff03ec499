/**
 * The backends of tenant A: `tenant.js PORT...`, one port for each of `BEHAVIOURS`. `quick` responds at once, `hang` never,
 * `drip` with a byte now and then; `sink` takes bodies, `big` sends 64 MiB, `echo` is for WebSockets.
 */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { WebSocketServer } from 'ws';
import { BEHAVIOURS } from '../neighbours/tenants.ts';

const DRIP_MS = 250;
const BIG_BYTES = 64 * 1024 * 1024;
const PIECE = Buffer.alloc(64 * 1024, 'x');

const listeners: Readonly<Record<(typeof BEHAVIOURS)[number], RequestListener>> = {
  quick: (_request, response) => response.end('x'.repeat(20)),
  hang: () => {},
  drip,
  sink: (request, response) => request.resume().once('end', () => response.end('taken')),
  big,
  echo: (_request, response) => response.end('echo'),
};

function drip(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200);
  const timer = setInterval(() => response.write('x'), DRIP_MS);
  response.once('close', () => clearInterval(timer));
}

function big(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-length': BIG_BYTES });
  let left = BIG_BYTES;
  const send = (): void => {
    while (left > 0) {
      left -= PIECE.length;
      if (!response.write(PIECE)) return;
    }
    response.end();
  };
  response.on('drain', send);
  send();
}

for (const [at, name] of BEHAVIOURS.entries()) {
  // No time limits of its own: those of the systems count.
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, listeners[name]);
  if (name === 'echo') {
    const sockets = new WebSocketServer({ server, perMessageDeflate: false });
    sockets.on('connection', (socket) => {
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
      socket.on('error', () => {});
    });
  }
  server.listen(Number(process.argv[2 + at]), '127.0.0.1', 4096);
}
