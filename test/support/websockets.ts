/** WebSocket backends and clients, by the library that most of the world uses. */
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';

export interface WebSocketBackend {
  readonly url: string;
  /** Resolves with the next WebSocket that is opened, and the request for it. */
  readonly opened: () => Promise<{ readonly socket: WebSocket; readonly request: IncomingMessage }>;
}

/** A WebSocket server that sends every message back as it came. */
export async function startWebSocketBackend(t: TestContext): Promise<WebSocketBackend> {
  const server = createServer((_request, response) => response.writeHead(426).end('a WebSocket was expected'));
  const said = new EventEmitter();
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  new WebSocketServer({ server }).on('connection', (socket, request) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    said.emit('opened', { socket, request });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  type Opened = Awaited<ReturnType<WebSocketBackend['opened']>>;
  return {
    url: `http://127.0.0.1:${port}`,
    opened: async () => ((await once(said, 'opened')) as [Opened])[0],
  };
}

/** A WebSocket to a router, for a host. It is cut after the test. */
export function openWebSocket(t: TestContext, url: string, host: string, options: ClientOptions = {}): WebSocket {
  const { headers, ...rest } = options;
  const client = new WebSocket(url, { ...rest, headers: { ...headers, Host: host } });
  client.on('error', () => {});
  t.after(() => client.terminate());
  return client;
}

/** A WebSocket on a stream of HTTP/2 whose handshake is over: the library has no way of its own for that. */
export function webSocketOn(stream: Duplex, side: 'client' | 'server'): WebSocket {
  const socket = new WebSocket(null as unknown as string, undefined, {});
  Object.assign(socket, { _isServer: side === 'server' });
  (socket as unknown as { setSocket(socket: unknown, head: Buffer, options: object): void }).setSocket(
    Object.assign(stream, { setNoDelay: () => {}, setTimeout: () => {} }),
    Buffer.alloc(0),
    { allowSynchronousEvents: true, maxPayload: 1e7, skipUTF8Validation: false },
  );
  return socket.on('error', () => {});
}
