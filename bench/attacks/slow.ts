/** Bodies in both directions that A's clients send and read slowly. */
import { connect, type Socket } from 'node:net';
import { siteHost } from '../neighbours/tenants.ts';
import { ADDRESSES, type Attack } from './attack.ts';
import { paced } from './paced.ts';

const UPLOADS = 200;
const UPLOAD_BYTES = 1024 * 1024;
/** Bytes of one piece; each upload sends four a second: 1 KiB/s. */
const PIECE = 'x'.repeat(256);
const PIECES_PER_SECOND = UPLOADS * 4;

const READERS = 50;
/** Each reads what a socket's buffer has, up to 64 KiB, once a second. */
const READS_PER_SECOND = READERS;

export const uploads: Attack = {
  name: 'uploads',
  label: 'slow uploads',
  async run({ port, seconds }) {
    const head = `POST / HTTP/1.1\r\nHost: ${siteHost('uploads')}\r\nContent-Length: ${UPLOAD_BYTES}\r\n\r\n`;
    const clients = new Clients(port, UPLOADS, head);
    await paced(PIECES_PER_SECOND, seconds, () => clients.next().write(PIECE));
    return clients.close();
  },
};

export const downloads: Attack = {
  name: 'downloads',
  label: 'slow readers of 64 MiB',
  async run({ port, seconds }) {
    const head = `GET / HTTP/1.1\r\nHost: ${siteHost('downloads')}\r\n\r\n`;
    const clients = new Clients(port, READERS, head, (socket) => {
      socket.on('data', () => socket.pause());
    });
    await paced(READS_PER_SECOND, seconds, () => clients.next().resume());
    return clients.close();
  },
};

/** Clients that have a request each. One whose connection was closed comes again. */
class Clients {
  readonly #port: number;
  readonly #head: string;
  readonly #prepare: (socket: Socket) => void;
  readonly #sockets: (Socket | null)[];
  #next = 0;
  #begun = 0;

  constructor(port: number, count: number, head: string, prepare = (socket: Socket): unknown => socket.resume()) {
    this.#port = port;
    this.#head = head;
    this.#prepare = prepare;
    this.#sockets = Array.from({ length: count }, () => null);
  }

  /** All in turn. */
  next(): Socket {
    const at = this.#next++ % this.#sockets.length;
    const socket = this.#sockets[at];
    if (socket?.writable) return socket;
    socket?.destroy();
    const fresh = this.#open();
    this.#sockets[at] = fresh;
    return fresh;
  }

  /** @returns how many requests there were */
  close(): number {
    for (const socket of this.#sockets) socket?.destroy();
    return this.#begun;
  }

  #open(): Socket {
    const localAddress = ADDRESSES[this.#begun++ % ADDRESSES.length];
    const socket = connect({ port: this.#port, host: '127.0.0.1', localAddress, noDelay: true });
    socket.on('error', () => {});
    socket.write(this.#head);
    this.#prepare(socket);
    return socket;
  }
}
