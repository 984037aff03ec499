import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, ListenOptions, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AdminPlace } from '../config/config.ts';
import { bracketed } from '../core/routing/hostname.ts';
import { ConnectionLimit } from '../server/connection-limit.ts';
import type { TrackedConnection } from '../server/tracked-connection.ts';
import { type AccessRules, checkAccess } from './access.ts';
import type { EventStream } from './event-stream.ts';
import { type Asked, Refusal, refused, type Reply } from './reply.ts';
import { clearStaleSocket } from './stale-socket.ts';

/** Above this number, idle connections are closed, so that probes always get a response. */
const MAX_CONNECTIONS = 200;
const HEAD_MS = 5_000;
const REQUEST_MS = 30_000;
const IDLE_MS = 60_000;
/** How long the response to a refused upgrade may take, ms. */
const REFUSAL_MS = 5_000;
const MAX_BODY = 1_048_576;

/** What an AdminListener needs. */
export interface AdminListenerParts {
  /** The token of the current configuration. */
  readonly token: () => string | null;
  /** Responds to an accepted request. Rejects with a Refusal, or with any error for a bug. */
  readonly answer: (asked: Asked) => Promise<Reply>;
  readonly stream: EventStream;
  /** The path of the event stream. */
  readonly streamPath: string;
  readonly onMistake: (error: unknown) => void;
}

/** One address of the admin interface. */
export class AdminListener {
  readonly #place: AdminPlace;
  readonly #parts: AdminListenerParts;
  readonly #server: Server;
  readonly #connectionLimit = new ConnectionLimit({ connections: MAX_CONNECTIONS, perClient: Infinity }, () => {});
  readonly #tracked = new WeakMap<Duplex, TrackedConnection>();
  #isFull = false;

  constructor(place: AdminPlace, parts: AdminListenerParts) {
    this.#place = place;
    this.#parts = parts;
    this.#server = createServer({ headersTimeout: HEAD_MS, requestTimeout: REQUEST_MS, keepAliveTimeout: IDLE_MS });
    this.#connectionLimit.add({ onFull: () => (this.#isFull = true), onFree: () => (this.#isFull = false) });
    this.#server.on('connection', (socket) => this.#onConnection(socket));
    this.#server.on('request', (request, response) => {
      const connection = this.#tracked.get(request.socket);
      connection?.busy();
      response.once('close', () => connection?.idle());
      void this.#onRequest(request, response);
    });
    this.#server.on('upgrade', (request, socket, head) => {
      this.#tracked.get(socket)?.busy();
      this.#onUpgrade(request, socket, head);
    });
  }

  /** Starts to listen. @returns the URL. @throws the system's error; the call may be repeated */
  async open(): Promise<string> {
    const place = this.#place;
    if ('socket' in place) await clearStaleSocket(place.socket);
    const options: ListenOptions =
      'socket' in place ? { path: place.socket } : { host: place.address, port: place.port, exclusive: true };
    // Not with a callback, which would stay registered after a failure; there may be many attempts.
    this.#server.listen(options);
    await once(this.#server, 'listening');
    if ('socket' in place) return `unix:${place.socket}`;
    return `http://${bracketed(place.address)}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Stops accepting, and closes all connections. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  #onConnection(socket: Socket): void {
    const connection = this.#connectionLimit.enter(socket);
    this.#tracked.set(socket, connection);
    socket.once('close', () => this.#connectionLimit.leave(connection));
    if (this.#isFull) socket.destroy();
  }

  get #rules(): AccessRules {
    return { token: this.#parts.token(), isSocket: 'socket' in this.#place };
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = await this.#answer(request).catch((error: unknown) => this.#refusal(error));
    const body = request.method === 'HEAD' ? '' : reply.body;
    response.writeHead(reply.status, {
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      ...(reply.status === 204 ? {} : { 'Content-Length': Buffer.byteLength(reply.body) }),
      ...reply.headers,
      // The unread rest of a body would be taken for the next request.
      ...(request.complete ? {} : { Connection: 'close' }),
    });
    response.end(body);
  }

  async #answer(request: IncomingMessage): Promise<Reply> {
    const { path, query } = splitTarget(request.url ?? '');
    checkAccess(path, request.headers, this.#rules);
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '');
    return await this.#parts.answer({ method, path, query, headers: request.headers, body: () => readJson(request) });
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const { stream, streamPath } = this.#parts;
    try {
      const { path } = splitTarget(request.url ?? '');
      checkAccess(path, request.headers, this.#rules);
      if (path !== streamPath) throw new Refusal(404, 'not-found', 'this path has no WebSocket');
      if (stream.isFull) throw new Refusal(503, 'crowded', 'too many listeners');
    } catch (error) {
      const { status, headers, body } = this.#refusal(error);
      const lines = Object.entries({ ...headers, 'Content-Length': Buffer.byteLength(body), Connection: 'close' });
      const fields = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      letGo(socket, `HTTP/1.1 ${status} Refused\r\n${fields}\r\n${body.toString()}`);
      return;
    }
    stream.accept(request, socket, head);
  }

  #refusal(error: unknown): Reply {
    if (error instanceof Refusal) return refused(error);
    this.#parts.onMistake(error);
    return refused(new Refusal(500, 'internal', 'a bug in the router; see its log'));
  }
}

/**
 * Sends a last response and closes the connection. Node's time limits do not apply to connections with an upgrade
 * request.
 */
function letGo(socket: Duplex, answer: string): void {
  const limit = setTimeout(() => socket.destroy(), REFUSAL_MS);
  socket.once('close', () => clearTimeout(limit));
  // With unread data in its buffer, the kernel would reset the connection and lose the response.
  socket.resume();
  socket.end(answer, () => socket.destroy());
}

/** @throws Refusal */
function splitTarget(target: string): Pick<Asked, 'path' | 'query'> {
  const at = target.indexOf('?');
  const path = at < 0 ? target : target.slice(0, at);
  if (!path.startsWith('/')) throw new Refusal(400, 'bad-target', 'the target must be a path');
  return { path, query: new URLSearchParams(at < 0 ? '' : target.slice(at + 1)) };
}

/** @throws Refusal */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > MAX_BODY) throw new Refusal(413, 'too-large', `at most ${MAX_BODY} bytes`);
      parts.push(part);
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    // The client has disconnected: not a bug.
    throw new Refusal(400, 'cut', 'the body is incomplete');
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString());
  } catch {
    throw new Refusal(400, 'not-json', 'send JSON');
  }
}
