/** What Hipache's own functional suites have: their configuration, and a backend. */
import type { RequestListener, Server } from 'node:http';
import { type RunningBackend, startBackend } from './backends.ts';
import type { Owner } from './router.ts';

/** The configuration of those suites. */
export const SERVER = { workers: 2, deadBackendTTL: 30, tcpTimeout: 5, retryOnError: 0, httpKeepAlive: false };

/** Reads the request, answers with a status and a few bytes, and destroys the connection. */
export function closingBackend(t: Owner, status: number): Promise<RunningBackend<Server>> {
  const listener: RequestListener = (incoming, response) => {
    incoming.resume().once('end', () => {
      response.statusCode = status;
      response.end('Shoobidouwa\n', () => incoming.socket.destroySoon());
    });
  };
  return startBackend(t, listener);
}
