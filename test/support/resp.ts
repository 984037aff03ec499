/** A Redis client of a few lines: each test sees which bytes it sends. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Owner } from './redis.ts';

/** A reply, as the protocol has it. An error reply is an Error. */
export type Reply = string | number | null | Error | readonly Reply[];

/** One connection. Commands go out as they are given, spelling and all, and replies come in their order. */
export class RespConnection {
  readonly #socket: Socket;
  readonly #waiting: ((reply: Reply) => void)[] = [];
  #bytes = Buffer.alloc(0);
  /** Told of each message on a channel. */
  onMessage: ((channel: string, message: string) => void) | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const resolve of this.#waiting.splice(0)) resolve(new Error('the connection closed'));
    });
    socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      for (let read = readReply(this.#bytes, 0); read !== null; read = readReply(this.#bytes, 0)) {
        this.#bytes = this.#bytes.subarray(read.end);
        this.#take(read.reply);
      }
    });
  }

  /** Sends commands in one packet. @returns one reply for each */
  send(...commands: readonly (readonly string[])[]): Promise<readonly Reply[]> {
    if (this.#socket.destroyed) return Promise.resolve(commands.map(() => new Error('the connection closed')));
    const replies = commands.map(() => new Promise<Reply>((resolve) => this.#waiting.push(resolve)));
    this.#socket.write(commands.map(encoded).join(''));
    return Promise.all(replies);
  }

  /** One command, and its reply. */
  async call(...command: readonly string[]): Promise<Reply> {
    const [reply = null] = await this.send(command);
    return reply;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(reply: Reply): void {
    if (Array.isArray(reply) && reply[0] === 'message') this.onMessage?.(String(reply[1]), String(reply[2]));
    else this.#waiting.shift()?.(reply);
  }
}

/** Connects to a server of this machine. The connection ends with its owner. */
export async function connectResp(owner: Owner, port: number): Promise<RespConnection> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const connection = new RespConnection(socket);
  owner.after(async () => connection.close());
  return connection;
}

function encoded(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

interface Read {
  readonly reply: Reply;
  readonly end: number;
}

/** The reply that begins at a place; null when it has not all come. */
function readReply(bytes: Buffer, from: number): Read | null {
  const lineEnd = bytes.indexOf('\r\n', from);
  if (lineEnd < 0) return null;
  const text = bytes.toString('utf8', from + 1, lineEnd);
  const end = lineEnd + 2;
  switch (bytes.toString('latin1', from, from + 1)) {
    case '+':
      return { reply: text, end };
    case '-':
      return { reply: new Error(text), end };
    case ':':
      return { reply: Number(text), end };
    case '$':
      return readBulk(bytes, end, Number(text));
    case '*':
      return readArray(bytes, end, Number(text));
    default:
      throw new Error(`no reply of this protocol: ${text}`);
  }
}

function readBulk(bytes: Buffer, from: number, length: number): Read | null {
  if (length < 0) return { reply: null, end: from };
  const end = from + length + 2;
  return bytes.length < end ? null : { reply: bytes.toString('utf8', from, from + length), end };
}

function readArray(bytes: Buffer, from: number, length: number): Read | null {
  if (length < 0) return { reply: null, end: from };
  const replies: Reply[] = [];
  let end = from;
  for (let i = 0; i < length; i++) {
    const read = readReply(bytes, end);
    if (read === null) return null;
    replies.push(read.reply);
    ({ end } = read);
  }
  return { reply: replies, end };
}
