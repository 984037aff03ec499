/** Sends events by WebSocket. The only file that imports ws. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import type { EventLog } from './event-log.ts';

const PROTOCOL = 'hipache.events';
/** The maximum number of listeners. */
const MAX_LISTENERS = 100;
/** How many bytes may wait for a slow listener; then it is disconnected. */
const MAX_WAITING = 1_048_576;
/** Between two pings, ms. A listener that has not replied to the last one is disconnected. */
const PING_MS = 30_000;
/** The maximum size of a message from a listener, bytes; all are ignored. */
const MAX_HEARD = 1_024;

/** Sends every event to all listeners, the last ones first. */
export class EventStream {
  readonly #events: EventLog;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_HEARD,
    handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
  });
  readonly #silent = new WeakSet<WebSocket>();
  readonly #timer = setInterval(() => this.#ping(), PING_MS).unref();

  constructor(events: EventLog) {
    this.#events = events;
  }

  get isFull(): boolean {
    return this.#server.clients.size >= MAX_LISTENERS;
  }

  /** Takes over a connection that requested an upgrade and passed the access check. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (client) => this.#serve(client));
  }

  /** Disconnects all listeners. */
  close(): void {
    clearInterval(this.#timer);
    for (const client of this.#server.clients) {
      client.close(1001);
      client.terminate();
    }
  }

  #serve(client: WebSocket): void {
    const send = (line: string): void => {
      if (client.bufferedAmount > MAX_WAITING) client.terminate();
      else client.send(line, () => {});
    };
    for (const line of this.#events.lines) send(line);
    const stop = this.#events.listen(send);
    client.on('pong', () => this.#silent.delete(client));
    client.on('error', () => client.terminate());
    client.once('close', stop);
  }

  #ping(): void {
    for (const client of this.#server.clients) {
      if (this.#silent.has(client)) client.terminate();
      else if (client.readyState === WebSocket.OPEN) {
        this.#silent.add(client);
        client.ping();
      }
    }
  }
}
