/** A router in front of a backend that records what it received: the scene of the wire tests. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { startRawBackend } from '../support/backends.ts';
import { ask, send } from '../support/client.ts';
import { type Router, type RouterOptions, startRouter } from '../support/router.ts';
import { readRequests, type WireRequest } from '../support/wire.ts';

export interface Scene {
  readonly router: Router;
  readonly port: number;
  /** What the backend received since the last call, latin1. */
  readonly received: () => string;
  /** The same, read strictly. */
  readonly requests: () => WireRequest[];
  /** A request that is beyond doubt is still answered, and the backend has seen nothing else by then. */
  readonly isWell: () => Promise<void>;
}

const GOOD = 'GET /well HTTP/1.1\r\nHost: site.test\r\n\r\n';
export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** @param answer what the backend says to each request head */
export async function startScene(t: TestContext, options: RouterOptions = {}, answer = OK): Promise<Scene> {
  let text = '';
  const backend = await startRawBackend(t, (socket) => {
    let head = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      const isWell = head.startsWith('GET /well ');
      head = '';
      socket.write(isWell ? OK : answer, 'latin1');
    });
    socket.on('end', () => socket.end());
  });
  const router = await startRouter(t, {
    ...options,
    routes: { 'site.test': ['site', backend.url], ...options.routes },
  });
  const received = (): string => {
    const bytes = text;
    text = '';
    return bytes;
  };
  return {
    router,
    port: router.port,
    received,
    requests: () => readRequests(received()),
    isWell: async () => {
      const { status } = await ask({ port: router.port, path: '/well' });
      assert.equal(status, 200, 'a good request is answered');
      const [last, ...others] = readRequests(received()).toReversed();
      assert.equal(last?.target, '/well');
      assert.deepEqual(others, [], 'nothing else reached the backend');
    },
  };
}

/** The status of the first answer in raw bytes. */
export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 ([0-9]{3}) /.exec(answer)?.[1] ?? 0);
}

/** Sends bytes and gives what came back by the time the router closed the connection. */
export function converse(scene: Scene, bytes: string): Promise<string> {
  return send(scene.port, bytes);
}

/** Sends bytes that ask for the connection to be closed after the answer. */
export function request(line: string, ...fields: string[]): string {
  return [line, 'Host: site.test', ...fields, 'Connection: close', '', ''].join('\r\n');
}

export { GOOD };
