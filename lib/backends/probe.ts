/** One request to a backend on a connection of its own, for operators. */
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { isHttp2 } from '../core/routing/backend.ts';
import type { Backend } from '../core/routing/types.ts';
import type { Dialer } from './dialing/dialer.ts';
import { requestByHttp2 } from './http2/single-request.ts';

/** What to send. */
export interface ProbeRequest {
  /** The Host field, or `:authority`. */
  readonly authority: string;
  readonly path: string;
}

/** What happened. Times in ms since the probe began. */
export interface ProbeResult {
  /** When the connection was there, with TLS; null without one. */
  readonly connectedMs: number | null;
  /** When the head of the response had come; null without one. */
  readonly respondedMs: number | null;
  readonly status: number | null;
  /** Why there was no response; null with one. */
  readonly fault: string | null;
}

/**
 * Connects to a backend and sends a GET. The body of the response is not read.
 * @param limitMs for all of it
 * @returns what happened; never rejects
 */
export async function probe(
  backend: Backend,
  sent: ProbeRequest,
  dialer: Pick<Dialer, 'dial'>,
  limitMs: number,
): Promise<ProbeResult> {
  const startedAt = performance.now();
  const ended = new AbortController();
  const timer = setTimeout(() => ended.abort(), limitMs);
  const since = (): number => performance.now() - startedAt;
  let connectedMs: number | null = null;
  let socket: Socket | null = null;
  try {
    socket = await dialled(backend, dialer, ended.signal);
    connectedMs = since();
    ended.signal.addEventListener('abort', () => socket?.destroy());
    const status = await (isHttp2(backend)
      ? requestByHttp2(socket, sent.authority, sent.path)
      : requestByHttp1(socket, sent.authority, sent.path));
    return { connectedMs, respondedMs: since(), status, fault: null };
  } catch (error) {
    const fault = ended.signal.aborted
      ? `no ${connectedMs === null ? 'connection' : 'response'} within ${limitMs / 1000} s`
      : messageOf(error);
    return { connectedMs, respondedMs: null, status: null, fault };
  } finally {
    clearTimeout(timer);
    socket?.destroy();
  }
}

function dialled(backend: Backend, dialer: Pick<Dialer, 'dial'>, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const dialing = dialer.dial(backend, { onSocket: resolve, onNoSocket: reject });
    signal.addEventListener('abort', () => {
      dialing.cancel();
      reject(new Error('too late'));
    });
  });
}

function requestByHttp1(socket: Socket, authority: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { Host: authority, 'User-Agent': 'hipache-probe', Accept: '*/*', Connection: 'close' };
    const asking = request({ createConnection: () => socket, path, headers });
    asking.once('error', reject);
    asking.once('response', (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    asking.end();
  });
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || ('code' in error ? String(error.code) : error.name);
}
