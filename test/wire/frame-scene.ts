/** The scene of the tests with HTTP/2 frames: a router, and a backend that answers whole requests by their path. */
import { after } from 'node:test';
import { startRawBackend } from '../support/backends.ts';
import type { FrameScene } from '../support/frame-cases.ts';
import { leaseRouter } from '../support/leased-router.ts';
import { type Router, type RouterOptions } from '../support/router.ts';
import { Incomplete, readRequests, type WireRequest } from '../support/wire.ts';

/** The length of the body at `/large`. */
export const LARGE = 200_000;

export interface Scene extends FrameScene {
  readonly router: Router;
  /** What the backend has received whole since the last call. */
  readonly requests: () => readonly WireRequest[];
}

/** Starts the scene once for the tests of a file. Responses: `/hold` has none, `/large` one with a large body. */
export function shareFrameScene(options: RouterOptions = {}): () => Promise<Scene> {
  const ends: (() => unknown)[] = [];
  after(async () => {
    for (const end of ends) await end();
  });
  let started: Promise<Scene> | null = null;
  return async () => {
    started ??= start({ after: (end) => ends.push(end) }, options);
    const scene = await started;
    scene.requests();
    return scene;
  };
}

async function start(owner: { after(end: () => unknown): void }, options: RouterOptions): Promise<Scene> {
  let received: WireRequest[] = [];
  const backend = await startRawBackend(owner, (socket) => {
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      const requests = whole(text);
      if (requests.length === 0) return;
      text = '';
      received.push(...requests);
      for (const { target } of requests) if (target !== '/hold') socket.write(answerTo(target), 'latin1');
    });
    socket.on('end', () => socket.end());
  });
  const config = { http: { port: 0, bind: ['127.0.0.1'], http2: true }, ...options.config };
  const router = await leaseRouter(owner, { ...options, config, routes: { 'site.test': ['site', backend.url] } });
  return {
    router,
    port: router.port,
    targets: () => received.map(({ target }) => target),
    requests: () => {
      const requests = received;
      received = [];
      return requests;
    },
  };
}

/** @returns nothing while the last request is incomplete */
function whole(text: string): WireRequest[] {
  try {
    return readRequests(text);
  } catch (error) {
    if (error instanceof Incomplete) return [];
    throw error;
  }
}

function answerTo(target: string): string {
  const body = target === '/large' ? 'x'.repeat(LARGE) : 'ok';
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}
