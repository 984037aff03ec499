/** Clients: one that speaks HTTP through Node, one that sends raw bytes. */
import { once } from 'node:events';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { textOf } from './backends.ts';

export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

export interface Ask {
  /** By default 127.0.0.1. */
  readonly address?: string;
  readonly port: number;
  readonly host?: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
  /** Keeps the connection; by default each request has its own. */
  readonly agent?: Agent;
  /** Where it asks from. */
  readonly localAddress?: string;
  /** Asks over TLS, with these options. */
  readonly tls?: ConnectionOptions;
  /** How long nothing may come, ms. */
  readonly limitMs?: number;
}

/** One request, and its whole answer. Rejects when the connection breaks. */
export function ask({
  address = '127.0.0.1',
  port,
  host = 'site.test',
  method = 'GET',
  path = '/',
  headers,
  body,
  agent,
  localAddress,
  tls,
  limitMs = 20_000,
}: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const start = tls ? secureRequest : request;
    const options = {
      host: address,
      port,
      method,
      path,
      headers: { host, ...headers },
      timeout: limitMs,
      localAddress,
    };
    const out = start({ ...tls, ...options, agent: agent ?? false }, (answer) => {
      textOf(answer).then((text) => {
        const { statusCode = 0, statusMessage = '', rawHeaders } = answer;
        resolve({ status: statusCode, reason: statusMessage, headers: answer.headers, rawHeaders, body: text });
      }, reject);
    });
    out.once('error', reject);
    out.once('timeout', () => out.destroy(new Error(`no answer within ${limitMs} ms`)));
    out.end(body);
  });
}

/** Sends raw bytes and gives all that comes back until the connection closes, or until `isDone` says so. */
export async function send(
  port: number,
  bytes: string | Buffer,
  isDone: (text: string) => boolean = () => false,
): Promise<string> {
  const socket = await dial(port);
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    if (isDone(text)) socket.destroy();
  });
  socket.setTimeout(20_000, () => socket.destroy(new Error('no answer within 20 s')));
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  // However it closes: a reset is an answer too.
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

/** A connection to a local port. */
export async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => {});
  return socket;
}
