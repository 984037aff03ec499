/** Backends of every kind: well-behaved, and those that refuse, stall, cut or reset. */
import { once } from 'node:events';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestListener,
  type Server,
} from 'node:http';
import { createServer as createHttpsServer, type Server as SecureServer } from 'node:https';
import { type AddressInfo, createServer, type Server as TcpServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { Owner } from './router.ts';

/** A backend and where it is. */
export interface RunningBackend<S> {
  readonly server: S;
  readonly port: number;
  readonly url: string;
}

async function run<S extends TcpServer>(
  t: Owner,
  server: S,
  sockets: Set<Socket>,
  socketPath: string | null = null,
): Promise<RunningBackend<S>> {
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  if (socketPath === null) server.listen(0, '127.0.0.1');
  else server.listen(socketPath);
  await once(server, 'listening');
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  });
  if (socketPath !== null) return { server, port: 0, url: `http://[unix:${socketPath}]` };
  const { port } = server.address() as AddressInfo;
  return { server, port, url: `http://127.0.0.1:${port}` };
}

/** An HTTP server with a handler. */
export function startBackend(t: Owner, handler: RequestListener): Promise<RunningBackend<Server>> {
  return run(t, createHttpServer(handler), new Set());
}

/** An HTTP server at a Unix socket, with a handler. */
export function startSocketBackend(
  t: TestContext,
  socketPath: string,
  handler: RequestListener,
): Promise<RunningBackend<Server>> {
  return run(t, createHttpServer(handler), new Set(), socketPath);
}

/** An HTTPS server with a handler, named as its certificate is. */
export async function startSecureBackend(
  t: TestContext,
  { key, cert }: { readonly key: string; readonly cert: string },
  name: string,
  handler: RequestListener,
): Promise<RunningBackend<SecureServer>> {
  const backend = await run(t, createHttpsServer({ key, cert }, handler), new Set());
  return { ...backend, url: `https://${name}:${backend.port}` };
}

/** Answers every request with this text, whatever was asked. */
export function says(text: string, status = 200, headers: OutgoingHttpHeaders = {}): RequestListener {
  return (request, response) => {
    request.resume();
    response.writeHead(status, headers).end(text);
  };
}

/** A TCP server: what it does with a connection is up to the test. */
export function startRawBackend(t: Owner, onConnection: (socket: Socket) => void): Promise<RunningBackend<TcpServer>> {
  return run(t, createServer({ allowHalfOpen: true }, onConnection), new Set());
}

/** Answers each request head with these bytes, and keeps what it received. */
export async function startSink(
  t: Owner,
  answer: string | Buffer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
): Promise<RunningBackend<TcpServer> & { readonly received: () => string; readonly connections: () => number }> {
  let text = '';
  let connections = 0;
  const backend = await startRawBackend(t, (socket) => {
    connections++;
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (chunk.includes('\r\n\r\n')) socket.write(answer);
    });
    socket.on('end', () => socket.end());
  });
  return { ...backend, received: () => text, connections: () => connections };
}

let refusals = 0;

/**
 * The URL of a port that nobody listens on, another one each time. Not a port that was free a moment ago: the system
 * would give it to the next server that asks for any.
 */
export function refusingUrl(): string {
  refusals++;
  return `http://127.1.${refusals >> 8}.${refusals & 255}:1`;
}

/** The whole body of a message, as text. */
export async function textOf(message: IncomingMessage): Promise<string> {
  let text = '';
  message.setEncoding('latin1');
  for await (const chunk of message) text += String(chunk);
  return text;
}
