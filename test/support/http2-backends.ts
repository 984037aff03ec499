/** HTTP/2 backends, by Node. */
import { once } from 'node:events';
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { startRawBackend } from './backends.ts';
import { type Frame, FRAME, frame, readFrames } from './http2.ts';

export interface Http2Backend {
  readonly server: Http2Server;
  /** With `h2c:`, or `h2:` where it has a certificate. */
  readonly url: string;
  /** Connections that were made to it, oldest first. */
  readonly sessions: ServerHttp2Session[];
}

export type StreamHandler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

export interface Http2BackendOptions extends ServerOptions {
  /** Its certificate, and the name in it. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly name: string };
}

export async function startHttp2Backend(
  t: TestContext,
  handler: StreamHandler,
  { tls, ...options }: Http2BackendOptions = {},
): Promise<Http2Backend> {
  const server = tls ? createSecureServer({ ...options, key: tls.key, cert: tls.cert }) : createServer(options);
  const sessions: ServerHttp2Session[] = [];
  server.on('session', (session) => {
    sessions.push(session);
    session.on('error', () => {});
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    handler(stream, headers);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { server, sessions, url: tls ? `h2://${tls.name}:${port}` : `h2c://127.0.0.1:${port}` };
}

const PREFACE_BYTES = 24;
const ACK = 1;

export interface FrameBackendOptions {
  /** The payload of its SETTINGS. */
  readonly settings?: Buffer;
  /** Called with every other frame than HEADERS. */
  readonly onFrame?: (frame: Frame, socket: Socket) => void;
}

/** Answers each request with frames that a test writes by hand. Resolves to its URL. */
export async function startFrameBackend(
  t: TestContext,
  answer: (stream: number, socket: Socket) => readonly Buffer[],
  { settings, onFrame }: FrameBackendOptions = {},
): Promise<string> {
  const { url } = await startRawBackend(t, (socket) => {
    socket.write(Buffer.concat([frame(FRAME.settings, 0, 0, settings), frame(FRAME.settings, ACK, 0)]));
    let bytes = Buffer.alloc(0);
    let isBegun = false;
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (!isBegun && bytes.length < PREFACE_BYTES) return;
      const { frames, rest } = readFrames(isBegun ? bytes : bytes.subarray(PREFACE_BYTES));
      isBegun = true;
      bytes = Buffer.from(rest);
      for (const each of frames) {
        if (each.type === FRAME.headers) socket.write(Buffer.concat(answer(each.stream, socket)));
        else onFrame?.(each, socket);
      }
    });
    socket.on('end', () => socket.end());
  });
  return url.replace('http:', 'h2c:');
}
