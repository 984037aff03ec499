/** The fast lane alone, between real sockets, with a full lane that only notes what it is given. */
import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import { Places } from '../../lib/core/places.ts';
import { pickRandom } from '../../lib/core/selection.ts';
import type { Backend, Outcome, Prior } from '../../lib/core/types.ts';
import { Dialer } from '../../lib/dial/dialer.ts';
import { Names } from '../../lib/dial/names.ts';
import { Lane } from '../../lib/fastlane/lane.ts';
import type { LaneLimits, PassedExchange } from '../../lib/fastlane/parts.ts';
import { MemoryStore } from '../../lib/store/memory.ts';
import { startRawBackend } from '../support/backends.ts';

export interface LaneScene {
  readonly port: number;
  readonly lane: Lane;
  readonly store: MemoryStore;
  readonly places: Places;
  /** What was lent, oldest first. */
  readonly lent: Prior[];
  /** Connections that were given away for good. */
  readonly adopted: Socket[];
  readonly timedOut: Socket[];
  readonly judged: { readonly backend: Backend; readonly outcome: Outcome }[];
  readonly recorded: PassedExchange[];
  /** How many backends are waited for. */
  readonly recoveries: { waiting: number };
}

export interface LaneOptions {
  readonly maxSockets?: number;
  readonly limits?: Partial<LaneLimits>;
  readonly readsAccepted?: boolean;
}

const LIMITS: LaneLimits = {
  headerMs: 5_000,
  idleMs: 5_000,
  bodyMs: 5_000,
  connectMs: 5_000,
  firstByteMs: 5_000,
  responseMs: 5_000,
  headerBytes: 16_384,
  bodyBytes: 0,
  bodyMinRate: 0,
};

/** The full lane answers everything with 299 and the method, the path and the body's length. */
function startFullLane(): Server {
  const server = createHttpServer({ requireHostHeader: false }, (request, response) => {
    if (request.url === '/early') {
      response.writeHead(299, { 'Content-Length': 0 }).end();
      return;
    }
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => {
      const text = `${request.method} ${request.url} ${bytes}`;
      response.writeHead(299, { 'Content-Length': text.length }).end(text);
    });
  });
  server.on('clientError', (_error, socket) => socket.end('HTTP/1.1 499 Bad\r\nConnection: close\r\n\r\n'));
  return server;
}

export async function startLane(
  t: TestContext,
  { maxSockets = 10, limits, readsAccepted = true }: LaneOptions = {},
): Promise<LaneScene> {
  const store = new MemoryStore();
  const places = new Places(maxSockets);
  const lists = { lent: [] as Prior[], adopted: [] as Socket[], timedOut: [] as Socket[] };
  const notes = { judged: [] as LaneScene['judged'][number][], recorded: [] as PassedExchange[] };
  const recoveries = { waiting: 0 };
  const lane = new Lane({
    store,
    select: pickRandom,
    random: () => 0,
    now: () => performance.now(),
    headerPolicy: {
      style: 'standard',
      isTrusted: () => false,
      serverName: 'lane.test',
      makeRequestId: null,
      tellsRequestId: false,
      trace: null,
    },
    budget: { requestStarted: () => {}, requestEnded: () => {} },
    places,
    otherPool: { open: () => 0, closeIdle: () => {} },
    maxSockets,
    dialer: new Dialer({ verify: true, ca: [] }, new Names()),
    isKeeping: true,
    hasBackendPath: false,
    limits: { ...LIMITS, ...limits },
    judge: (_route, backend, outcome) => notes.judged.push({ backend, outcome }),
    recoveries,
    record: (passed) => notes.recorded.push(passed),
    use: { opened: 0, reused: 0 },
    trace: null,
    isDraining: () => false,
    isClosing: () => false,
    readsAccepted: () => readsAccepted,
  });
  const server = startFullLane();
  const peer = { address: '192.0.2.1', isTrusted: false, isTls: false, localPort: 80 };
  const fullLane = {
    adopt: (socket: Socket) => {
      lists.adopted.push(socket);
      server.emit('connection', socket);
      socket.resume();
    },
    serveOnce: (stream: Duplex, _peer: unknown, prior: Prior, onEnded: () => void) => {
      lists.lent.push(prior);
      server.emit('connection', stream as Socket);
      server.once('request', (_request, response) => response.once('close', onEnded));
    },
    timeOut: (socket: Socket) => {
      lists.timedOut.push(socket);
      socket.destroy();
    },
  };
  const door = await startRawBackend(t, (socket) => lane.admit(socket, peer, fullLane));
  t.after(() => lane.close());
  const { port } = door.server.address() as AddressInfo;
  return { port, lane, store, places, ...lists, ...notes, recoveries };
}
