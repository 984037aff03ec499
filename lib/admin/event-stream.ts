/** Events by WebSocket: the only file that knows ws. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import type { EventLog } from './event-log.ts';

const PROTOCOL = 'hipache.events';
/** Those who listen at a time. */
const MAX_LISTENERS = 100;
/** How much may wait for one who does not read, bytes: then it is let go. */
const MAX_WAITING = 1_048_576;
/** Between two signs of life, ms. Who gives none is let go. */
const PING_MS = 30_000;
/** Nobody has anything to tell us. */
const MAX_HEARD = 1_024;

/** Sends every event to all who listen, the last ones first. */
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

  /** Takes a connection over that asked for it, and may. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (client) => this.#serve(client));
  }

  /** Lets everybody go. */
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
