/** The fast lane alone, between real sockets, with a full lane that only notes what it is given. */
import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { ConnectionSlots } from '../../lib/backends/slots/connection-slots.ts';
import { NO_VALUES } from '../../lib/core/balance/sticky.ts';
import { RecentTurns } from '../../lib/core/balance/turns.ts';
import type { StickyValues } from '../../lib/core/routing/choice.ts';
import { NO_RESTS, NO_TRIALS, pickRandom } from '../../lib/core/routing/selection.ts';
import type { Site } from '../../lib/core/routing/site.ts';
import { TimeLimits } from '../../lib/clock/time-limits.ts';
import type { ExchangeRecord } from '../../lib/core/record/exchange-record.ts';
import { LimitsBySite } from '../../lib/core/limits/limits-by-site.ts';
import { SpoolBudget } from '../../lib/core/limits/spool.ts';
import type { Backend, Outcome, HandoffState, Route } from '../../lib/core/routing/types.ts';
import { Dialer } from '../../lib/backends/dialing/dialer.ts';
import { Names } from '../../lib/backends/dialing/names.ts';
import { BackendStates } from '../../lib/backends/state/backend-states.ts';
import { readAccepted, readNone } from '../../lib/fastlane/accepted-reads.ts';
import { Lane } from '../../lib/fastlane/lane.ts';
import type { ClientStream } from '../../lib/http1/client-stream.ts';
import type { LaneParts, OwnResponse } from '../../lib/fastlane/parts.ts';
import type { FastLaneLimits } from '../../lib/core/limits/exchange-limits.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { startRawBackend } from '../support/backends.ts';

export interface LaneScene {
  readonly port: number;
  readonly lane: Lane;
  readonly store: MemoryStore;
  /** What was lent, oldest first. */
  readonly lent: HandoffState[];
  /** Connections that were given away for good. */
  readonly adopted: ClientStream[];
  readonly timedOut: ClientStream[];
  readonly judged: { readonly backend: Backend; readonly outcome: Outcome }[];
  readonly recorded: ExchangeRecord[];
  readonly backends: BackendStates;
}

export interface LaneOptions {
  readonly maxSockets?: number;
  readonly limits?: Partial<FastLaneLimits>;
  readonly readsAccepted?: boolean;
  /** Of every route, in the place of its own. */
  readonly site?: Site;
  readonly sticky?: StickyValues;
}

const LIMITS: FastLaneLimits = {
  headerMs: 5_000,
  idleMs: 5_000,
  bodyMs: 5_000,
  connectMs: 5_000,
  firstByteMs: 5_000,
  responseMs: 5_000,
  headerBytes: 16_384,
  bodyBytes: 0,
  readMs: 5_000,
  bodyMinRate: 0,
  readMinRate: 0,
};

const NO_FRONTEND_HEAD = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n';

const own = (code: OwnResponse['code'], status: number): OwnResponse => ({
  code,
  status,
  head: '',
  body: Buffer.alloc(0),
});

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

/** The store's routes, all with one site. */
function withSite(store: MemoryStore, site: Site): LaneParts['store'] {
  const made = (route: Route | null): Route | null => route && { ...route, site };
  return {
    find: async (keys, path) => made(await store.find(keys, path)),
    peek: (host, path) => {
      const route = store.peek(host, path);
      return route && made(route);
    },
    page: (keys, status) => store.page(keys, status),
  };
}

export async function startLane(
  t: TestContext,
  { maxSockets = 10, limits, readsAccepted = true, site, sticky }: LaneOptions = {},
): Promise<LaneScene> {
  const store = new MemoryStore();
  const lists = { lent: [] as HandoffState[], adopted: [] as ClientStream[], timedOut: [] as ClientStream[] };
  const notes = { judged: [] as LaneScene['judged'][number][], recorded: [] as ExchangeRecord[] };
  const backends = new BackendStates(Date.now);
  const lane = new Lane({
    store: site === undefined ? store : withSite(store, site),
    select: pickRandom,
    loadOf: backends.loadOf,
    aliveSince: backends.aliveSince,
    random: () => 0,
    now: () => performance.now(),
    turns: new RecentTurns(),
    zone: null,
    sticky: sticky ?? NO_VALUES,
    trials: NO_TRIALS,
    outliers: NO_RESTS,
    clock: new TimeLimits(),
    headerPolicy: {
      style: 'standard',
      isTrusted: () => false,
      serverName: 'lane.test',
      makeRequestId: null,
      tellsRequestId: false,
      trace: null,
    },
    budget: { requestStarted: () => {}, requestEnded: () => {} },
    slots: new ConnectionSlots(maxSockets),
    spools: new SpoolBudget(),
    onCut: () => {},
    onResponseCut: () => {},
    rates: { take: () => 0 },
    permits: { enter: () => null },
    queue: { waitForSite: () => () => {} },
    overload: null,
    onRefused: () => {},
    own: {
      overloaded: own('overloaded', 503),
      noFrontend: { ...own('no-frontend', 400), head: NO_FRONTEND_HEAD },
      unknownHosts: own('unknown-hosts', 503),
      limited: () => own('rate-limited', 429),
      busy: () => own('site-busy', 503),
    },
    backends,
    maxSockets,
    dialer: new Dialer({ verify: true, ca: [] }, new Names()),
    isKeeping: true,
    hasBackendPath: false,
    limits: { ...LIMITS, ...limits },
    limitsBySite: new LimitsBySite({ ...LIMITS, ...limits, tunnelMs: 0 }),
    judge: ({ backend, outcome }) => void notes.judged.push({ backend, outcome }),
    record: (passed) => notes.recorded.push(passed),
    use: { opened: 0, reused: 0 },
    trace: null,
    isDraining: () => false,
    isClosing: () => false,
    readAccepted: readsAccepted ? readAccepted : readNone,
  });
  const server = startFullLane();
  const peer = { address: '192.0.2.1', isTrusted: false, isTls: false, localPort: 80 };
  const fullLane = {
    adopt: (socket: ClientStream) => {
      lists.adopted.push(socket);
      server.emit('connection', socket);
      socket.resume();
    },
    serveOnce: (stream: ClientStream, _peer: unknown, handoff: HandoffState, onEnded: () => void) => {
      lists.lent.push(handoff);
      server.emit('connection', stream);
      server.once('request', (_request, response) => response.once('close', onEnded));
    },
    timeOut: (socket: ClientStream) => {
      lists.timedOut.push(socket);
      socket.destroy();
    },
  };
  const door = await startRawBackend(t, (socket) => lane.admit(socket, peer, fullLane, null));
  t.after(() => lane.close());
  const { port } = door.server.address() as AddressInfo;
  return { port, lane, store, ...lists, ...notes, backends };
}
