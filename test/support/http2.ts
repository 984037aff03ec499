/** HTTP/2 clients: Node's, and one that writes frames by hand. */
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientSessionOptions,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { dial } from './client.ts';

/** A stream's whole answer. */
export interface StreamAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: IncomingHttpHeaders;
  /** Statuses of 1xx, in order. */
  readonly information: readonly number[];
  /** How the stream was closed; 0 in good order. */
  readonly code: number;
}

/** Connects; the session is cut after the test. */
export async function openSession(
  t: TestContext,
  port: number,
  tls?: SecureClientSessionOptions,
  options: ClientSessionOptions = {},
): Promise<ClientHttp2Session> {
  const session = connect(`${tls ? 'https' : 'http'}://127.0.0.1:${port}`, { ...tls, ...options });
  session.on('error', () => {});
  t.after(() => session.destroy());
  await once(session, 'remoteSettings');
  return session;
}

/** Everything about a stream, once it is closed. Never rejects. */
export function answerOf(stream: ClientHttp2Stream): Promise<StreamAnswer> {
  return new Promise((resolve) => {
    let headers: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    let body = '';
    const information: number[] = [];
    stream.on('response', (fields) => (headers = fields));
    stream.on('headers', (fields) => information.push(Number(fields[':status'])));
    stream.on('trailers', (fields) => (trailers = fields));
    stream.on('error', () => {});
    stream.setEncoding('latin1');
    stream.on('data', (text: string) => (body += text));
    stream.once('close', () => {
      const status = Number((headers as Record<string, unknown>)[':status'] ?? 0);
      resolve({ status, headers, body, trailers, information, code: stream.rstCode });
    });
  });
}

/** One request for `site.test`, and its whole answer. */
export function request(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders = {},
  body?: string | Buffer,
): Promise<StreamAnswer> {
  const stream = session.request(
    { ':authority': 'site.test', ':path': '/', ...headers },
    { endStream: body === undefined },
  );
  if (body !== undefined) stream.end(body);
  return answerOf(stream);
}

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
/** Flag of SETTINGS and PING. */
export const ACK = 1;
export const END_STREAM = 1;
export const END_HEADERS = 4;
export const PADDED = 8;
export const WITH_PRIORITY = 0x20;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** A frame as it goes over the wire (RFC 9113 §4.1). */
export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** The frames in a connection's bytes, and what is left behind the last of them. */
export function readFrames(bytes: Buffer): { readonly frames: Frame[]; readonly rest: Buffer } {
  const frames: Frame[] = [];
  let rest = bytes;
  while (rest.length >= 9) {
    const length = rest.readUIntBE(0, 3);
    if (rest.length < 9 + length) break;
    const [, , , type = 0, flags = 0] = rest;
    const stream = rest.readUInt32BE(5) & 0x7fff_ffff;
    frames.push({ type, flags, stream, payload: Buffer.from(rest.subarray(9, 9 + length)) });
    rest = rest.subarray(9 + length);
  }
  return { frames, rest };
}

/** Fields as literals without indexing (RFC 7541 §6.2.2), whatever they hold. */
export function fieldBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]));
}

/** A string literal without Huffman coding (RFC 7541 §5.2). */
function literal(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  const { length } = bytes;
  if (length < 127) return Buffer.concat([Buffer.from([length]), bytes]);
  const prefix = [127];
  let rest = length - 127;
  for (; rest >= 128; rest >>= 7) prefix.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([...prefix, rest]), bytes]);
}

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Fields of a plain GET. */
export const GET: readonly (readonly [string, string])[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'site.test'],
];

/** Writes frames by hand, and reads what comes. */
export class RawHttp2 {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  /** The connection is closed. */
  readonly closed: Promise<unknown>;
  #rest = Buffer.alloc(0);
  #onFrame: () => void = () => {};

  /** @param opening what is sent first */
  constructor(socket: Socket, opening: Buffer = Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0)])) {
    this.socket = socket;
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.once('close', () => this.#onFrame());
    socket.write(opening);
  }

  static async open(t: TestContext, port: number): Promise<RawHttp2> {
    const socket = await dial(port);
    t.after(() => socket.destroy());
    return new RawHttp2(socket);
  }

  /** Called with each frame, before `find`. */
  protected onFrame(_frame: Frame): void {}

  /** @param flags END_HEADERS is added */
  headers(stream: number, fields: readonly (readonly [string, string])[], flags = END_STREAM): void {
    this.socket.write(frame(FRAME.headers, flags | END_HEADERS, stream, fieldBlock(fields)));
  }

  write(type: number, flags: number, stream: number, payload?: Buffer): void {
    this.socket.write(frame(type, flags, stream, payload));
  }

  /** Resolves with the first frame that matches, come or to come. */
  async find(matches: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(matches);
      if (found) return found;
      if (this.socket.closed) throw new Error(`the connection was closed after ${JSON.stringify(this.frames)}`);
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`no such frame within 20 s, only ${JSON.stringify(this.frames)}`)),
          20_000,
        );
        this.#onFrame = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** The code of the RST_STREAM that ends a stream. */
  async resetOf(stream: number): Promise<number> {
    return (await this.find((each) => each.type === FRAME.reset && each.stream === stream)).payload.readUInt32BE(0);
  }

  /** The code of a GOAWAY, the last one if the connection is closed. */
  async goawayCode(): Promise<number> {
    return (await this.find(({ type }) => type === FRAME.goaway)).payload.readUInt32BE(4);
  }

  #read(bytes: Buffer): void {
    const { frames, rest } = readFrames(Buffer.concat([this.#rest, bytes]));
    this.frames.push(...frames);
    this.#rest = Buffer.from(rest);
    for (const each of frames) this.onFrame(each);
    this.#onFrame();
  }
}
