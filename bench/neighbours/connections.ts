/** HTTP/1.1 connections of a client that sends at a fixed rate, whatever the responses are. */
import { connect, type Socket } from 'node:net';

/** Called once for each request: the status, or null when there is no complete response. */
type Done = (status: number | null) => void;

export interface Options {
  readonly port: number;
  /** How many connections may be open. */
  readonly max: number;
  /** How long a connection may be silent with a request on it, ms. It is closed then. */
  readonly limitMs: number;
  /** The addresses that connections come from, in turn. */
  readonly addresses: readonly string[];
}

/** Kept connections, with one request at a time on each. More are opened, up to the bound, when none is free. */
export class Connections {
  readonly #options: Options;
  readonly #free: Connection[] = [];
  readonly #all = new Set<Connection>();
  #opened = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** @returns false when all connections are in use: then nothing is sent, and `done` is not called */
  ask(request: string, done: Done): boolean {
    const connection = this.#free.pop() ?? this.#open();
    connection?.ask(request, done);
    return connection !== null;
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }

  #open(): Connection | null {
    const { port, max, limitMs, addresses } = this.#options;
    if (this.#all.size >= max) return null;
    const localAddress = addresses[this.#opened++ % addresses.length];
    const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
    const connection = new Connection(socket, limitMs, {
      onFree: () => this.#free.push(connection),
      onClosed: () => {
        this.#all.delete(connection);
        const at = this.#free.indexOf(connection);
        if (at >= 0) this.#free.splice(at, 1);
      },
    });
    this.#all.add(connection);
    return connection;
  }
}

class Connection {
  readonly #socket: Socket;
  readonly #onFree: () => void;
  #done: Done | null = null;
  #said = '';

  constructor(socket: Socket, limitMs: number, { onFree, onClosed }: { onFree: () => void; onClosed: () => void }) {
    this.#socket = socket;
    this.#onFree = onFree;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.#onData(text));
    socket.setTimeout(limitMs, () => {
      if (this.#done !== null) socket.destroy();
    });
    // A response without a length ends here: none of the systems sends one.
    socket.on('end', () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => {
      onClosed();
      this.#finish(null);
    });
  }

  ask(request: string, done: Done): void {
    this.#said = '';
    this.#done = done;
    this.#socket.write(request);
  }

  close(): void {
    this.#socket.destroy();
  }

  #onData(text: string): void {
    if (this.#done === null) return;
    this.#said += text;
    const response = parseResponse(this.#said);
    if (response === null) return;
    if (response.closes) this.#socket.destroy();
    else this.#onFree();
    this.#finish(response.status);
  }

  #finish(status: number | null): void {
    const done = this.#done;
    this.#done = null;
    done?.(status);
  }
}

/** Reads a response by its length or its last chunk; null while it is not complete. */
export function parseResponse(text: string): { readonly status: number; readonly closes: boolean } | null {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const head = text.slice(0, end);
  const isComplete = /\r\ntransfer-encoding: *chunked/i.test(head)
    ? text.endsWith('0\r\n\r\n')
    : text.length - end - 4 >= Number(/\r\ncontent-length: *([0-9]+)/i.exec(head)?.[1] ?? 0);
  return isComplete ? { status: Number(head.slice(9, 12)), closes: /\r\nconnection: *close/i.test(head) } : null;
}
