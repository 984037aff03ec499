/** A router in front of a backend that records what it received: the scene of the wire tests. */
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { startRawBackend } from '../support/backends.ts';
import { ask, send } from '../support/client.ts';
import { leaseRouter } from '../support/leased-router.ts';
import { type Owner, type Router, type RouterOptions } from '../support/router.ts';
import { readRequests, type WireRequest } from '../support/wire.ts';

export interface Scene {
  readonly router: Router;
  readonly port: number;
  /** What the backend received since the last call, latin1. */
  readonly received: () => string;
  /** The same, read strictly. */
  readonly requests: () => WireRequest[];
  /** What the backend says to each request head from now on. */
  readonly answerWith: (answer: string) => void;
  /** A request that is beyond doubt is still answered, and the backend has seen nothing else by then. */
  readonly isWell: () => Promise<void>;
}

const GOOD = 'GET /well HTTP/1.1\r\nHost: site.test\r\n\r\n';
export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** @param first what the backend says to each request head, until it is told otherwise */
export async function startScene(t: Owner, options: RouterOptions = {}, first = OK): Promise<Scene> {
  let answer = first;
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
  const router = await leaseRouter(t, {
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
    answerWith: (next) => {
      answer = next;
    },
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

/**
 * One scene for the tests of a file, which follow one another and want the same router: starting one takes half a second
 * of CPU. Each begins with nothing received and the answer that it asks for; what the router has logged stays. To be
 * called once, outside of tests.
 */
export function shareScene(options: RouterOptions = {}): (answer?: string) => Promise<Scene> {
  const ends: (() => unknown)[] = [];
  after(async () => {
    for (const end of ends) await end();
  });
  let started: Promise<Scene> | null = null;
  return async (answer = OK) => {
    started ??= startScene({ after: (end) => ends.push(end) }, options);
    const scene = await started;
    scene.answerWith(answer);
    scene.received();
    return scene;
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
