/** An admin interface without a router: answers as docs/admin.md has them, and does what a test tells it to. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import type {
  BackendView,
  Fault,
  FleetAnswer,
  FleetRouter,
  FrontendView,
  Problem,
  SortKey,
  WorkerAnswer,
  WorkersAnswer,
} from '../../lib/admin/answers.ts';
import { readDashboard } from '../../lib/admin/dashboard.ts';
import {
  countsOf,
  isShown,
  problemsOf,
  type RatesOf,
  readFrontend,
  sorted,
  type StateFilter,
  summaryOf,
} from '../../lib/admin/frontend-summary.ts';
import { parseBackend } from '../../lib/core/routing/backend-url.ts';
import { candidates, hostOf } from '../../lib/core/routing/hostname.ts';
import { freePort } from '../support/ports.ts';

/** A request that came, other than for what the page asks for all the time. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

interface StubFrontend {
  readonly name: string;
  readonly urls: readonly string[];
  /** By id: until when, epoch ms; null without an end. */
  readonly dead: Map<number, number | null>;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const VERSION = '1.0.0';

export class StubAdmin {
  readonly frontends = new Map<string, StubFrontend>();
  readonly events: object[] = [];
  /** Every change that was asked for. */
  readonly changes: Asked[] = [];
  /** How many requests came in all. */
  count = 0;
  token: string | null = null;
  /** A worker starts, and has told nothing of itself. */
  isReloading = false;
  /** The fleet; empty as without heartbeats. */
  routers: readonly FleetRouter[] = [];
  /** Why nothing can be changed, as with a routes file. */
  readOnly: string | null = null;
  ready: { isReady: boolean; isDegraded: boolean; reasons: string[] } = {
    isReady: true,
    isDegraded: false,
    reasons: [],
  };
  refused: string[] = [];
  /** Whether the admin interface can read the store. */
  isRead = true;
  store = { name: 'redis://127.0.0.1:6379', isUp: true };
  /** Identifiers of those who get requests. */
  busiest: readonly string[] = [];
  /** Identifiers of those whose backends fail. */
  failing: ReadonlySet<string> = new Set();
  /** What lint has found besides the lists. */
  lint: readonly Problem[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #feeds = new WebSocketServer({ noServer: true, handleProtocols: () => 'hipache.events' });
  readonly #page = readDashboard();
  #server: Server | null = null;
  #port = 0;

  static async start(): Promise<StubAdmin> {
    const stub = new StubAdmin();
    await stub.comeBack();
    return stub;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  /** Listens, on the port that it had before. */
  async comeBack(): Promise<void> {
    const server = createServer((request, response) => void this.#serve(request, response));
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      if (this.token !== null && tokenOffered(request) !== this.token) {
        socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
        return;
      }
      this.#feeds.handleUpgrade(request, socket, head, (feed) => {
        feed.on('error', () => {});
        for (const event of this.events.slice(-200)) feed.send(JSON.stringify(event));
      });
    });
    this.#port ||= await freePort();
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
  }

  /** Is as if the process had been killed. */
  async goAway(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  set(key: string, name: string, urls: readonly string[]): void {
    this.frontends.set(key, { name, urls, dead: new Map() });
  }

  /** Marks a backend dead, and says so. */
  kill(key: string, id: number, ttlSeconds: number | null, why = 'connect ECONNREFUSED'): void {
    const frontend = this.#frontend(key);
    frontend.dead.set(id, ttlSeconds === null ? null : Date.now() + ttlSeconds * 1000);
    const backend = frontend.urls[id] ?? '';
    this.tell('backend-dead', 'warn', `${key}: ${backend} is dead: ${why}`, {
      frontend: key,
      backend,
      id,
      ttlSeconds,
      why,
    });
  }

  revive(key: string, id: number): void {
    this.#frontend(key).dead.delete(id);
    this.tell('backend-alive', 'info', `${key}: backend ${id} is alive`, { frontend: key, id });
  }

  tell(event: string, level: string, msg: string, fields: object = {}, time = new Date()): void {
    const line = { time: time.toISOString(), level, pid: 4711, event, msg, ...fields };
    this.events.push(line);
    for (const feed of this.#feeds.clients) feed.send(JSON.stringify(line));
  }

  #frontend(key: string): StubFrontend {
    const frontend = this.frontends.get(key);
    if (frontend === undefined) throw new Error(`the stub has no frontend ${key}`);
    return frontend;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.count++;
    const url = new URL(request.url ?? '/', this.url);
    if (url.pathname === '/') {
      response.writeHead(200, this.#page.headers).end(this.#page.html);
      return;
    }
    const mayPass = this.token === null || request.headers.authorization === `Bearer ${this.token}`;
    const body = await bodyOf(request);
    const answer = mayPass
      ? this.#answer(request.method ?? '', url, body)
      : fault(401, 'token-wanted', 'the token is missing or wrong');
    response.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer.body));
  }

  #answer(method: string, url: URL, body: unknown): Answer {
    const [, , , place = '', host, question] = url.pathname.split('/');
    const key = host === undefined ? '' : decodeURIComponent(host);
    if (method !== 'GET') this.changes.push({ method, path: url.pathname, body });
    if (method !== 'GET' && this.readOnly !== null) return fault(409, 'read-only', this.readOnly);
    if (place === 'live') return found(this.#live(Number(url.searchParams.get('seconds') ?? 300)));
    if (place === 'workers') return found(workers(this.isReloading));
    if (place === 'fleet') return found({ routers: this.routers } satisfies FleetAnswer);
    if (place === 'events') return found({ events: this.events.slice(-200) });
    if (place === 'summary') return found(this.#summary(url.searchParams));
    if (place !== 'frontends') return fault(404, 'not-found', 'there is no such thing here');
    if (host === undefined) return fault(404, 'not-found', 'the page does not ask for that');
    if (question === 'explain') return found(this.#explain(key, url.searchParams.get('path') ?? '/'));
    if (method === 'PUT') return this.#put(key, body as { name: string; backends: readonly string[] });
    if (!this.frontends.has(key)) return fault(404, 'no-frontend', `there is no frontend ${key}`);
    if (method === 'DELETE') this.frontends.delete(key);
    return found(method === 'DELETE' ? {} : this.#describe(key));
  }

  #put(key: string, { name, backends }: { name: string; backends: readonly string[] }): Answer {
    const isNew = !this.frontends.has(key);
    this.set(key, name, backends);
    return { status: isNew ? 201 : 200, body: this.#describe(key) };
  }

  #summary(query: URLSearchParams): object {
    const reads = this.isRead ? [...this.frontends.keys()].map((key) => readFrontend(this.#describe(key))) : [];
    const summaries = reads.map((read) => summaryOf(read, this.#rates));
    const isMatch = (each: (typeof summaries)[number]): boolean =>
      isShown(each, query.get('match') ?? '', query.get('state') as StateFilter);
    const shown = summaries.filter(isMatch);
    const text = `the frontends cannot be read: ${this.store.name} does not reply`;
    const unread: Problem = { kind: 'unread', severity: 'error', frontend: null, text, advice: '' };
    const problems = [...(this.isRead ? [] : [unread]), ...problemsOf(reads, summaries), ...this.lint];
    const [from, limit] = [Number(query.get('from')), Number(query.get('limit'))];
    return {
      readAt: new Date().toISOString(),
      isComplete: this.isRead,
      counts: countsOf(summaries),
      problems: problems.slice(0, 100),
      moreProblems: Math.max(0, problems.length - 100),
      found: shown.length,
      frontends: sorted(shown, query.get('sort') as SortKey).slice(from, from + limit),
    };
  }

  /** Of those who get requests. */
  readonly #rates: RatesOf = (name) => {
    const at = this.busiest.indexOf(name);
    if (at < 0) return null;
    const requestsPerSecond = 160 / (at + 1);
    const errorsPerSecond = this.failing.has(name) ? requestsPerSecond / 20 : 0;
    return { requestsPerSecond, errorsPerSecond, p50: 0.004, p99: 0.02 + 0.03 * noise(name.length) };
  };

  #activity({ name, backends }: FrontendView): object {
    const rates = this.#rates(name);
    const share = Math.max(1, backends.filter(({ state }) => state === 'alive').length);
    return {
      workers: 2,
      replied: 2,
      backends: backends
        .filter(({ state }) => state !== 'unusable')
        .map(({ id, state }) => ({
          id,
          inFlight: state === 'alive' ? 1 + id : 0,
          waiting: 0,
          open: state === 'alive' ? 6 + id : 0,
          idle: state === 'alive' ? 4 : 0,
          requestsPerSecond: state === 'alive' ? (rates?.requestsPerSecond ?? 0) / share : 0,
          errorsPerSecond: state === 'alive' ? (rates?.errorsPerSecond ?? 0) / share : 0,
          p50: state === 'alive' && rates ? rates.p50 : null,
          p99: state === 'alive' && rates ? rates.p99 : null,
          responses: { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
          failures:
            state === 'dead' || this.failing.has(name)
              ? Array.from({ length: 3 }, (_, i) => ({
                  time: new Date(Date.now() - (i + 1) * 4_000).toISOString(),
                  type: 'unreachable',
                  reason: 'connect ECONNREFUSED 10.0.0.1:80',
                  code: 'ECONNREFUSED',
                  pid: 4711,
                }))
              : [],
        })),
    };
  }

  #describe(key: string): FrontendView {
    const { name, urls, dead } = this.#frontend(key);
    const faults: Fault[] = [];
    const backends = urls.map((url, id): BackendView => {
      const parsed = parseBackend(url, id);
      if ('fault' in parsed) {
        faults.push({
          code: 'bad-url',
          severity: 'error',
          text: `backend ${id}, "${url}": ${parsed.fault}`,
          advice: `LSET frontend:${key} ${id + 1} http://HOST:PORT`,
        });
        return {
          id,
          url,
          state: 'unusable',
          secondsLeft: null,
          trialInSeconds: null,
          markedBy: null,
          fault: parsed.fault,
        };
      }
      const until = dead.get(id);
      const isDead = until !== undefined && (until === null || until > Date.now());
      const secondsLeft = isDead && until !== null ? (until - Date.now()) / 1000 : null;
      return {
        id,
        url,
        state: isDead ? 'dead' : 'alive',
        secondsLeft,
        trialInSeconds: null,
        markedBy: isDead ? 'router' : null,
        fault: null,
      };
    });
    return { key, name, backends, faults };
  }

  #explain(asked: string, path: string): object {
    const host = hostOf(asked);
    const keys = host === null ? [] : candidates(host);
    const used = keys.find((key) => this.frontends.has(key));
    const route = used === undefined ? null : this.#describe(used);
    const alive = route?.backends.filter(({ state }) => state === 'alive').length ?? 0;
    const dead = route?.backends.filter(({ state }) => state === 'dead') ?? [];
    return {
      asked,
      host,
      path,
      answer:
        alive > 0
          ? {
              kind: 'backend',
              status: null,
              code: null,
              text: `one of ${alive} living backend${alive === 1 ? '' : 's'} of ${route?.backends.length}, with equal probability`,
            }
          : route === null
            ? { kind: 'refused', status: 400, code: 'no-frontend', text: 'no key is there for this host' }
            : { kind: 'refused', status: 502, code: 'all-dead', text: 'no backend is alive' },
      keys: keys.map((key) => {
        const frontend = this.frontends.get(key);
        const isReached = used === undefined || keys.indexOf(key) <= keys.indexOf(used);
        return {
          key: `frontend:${key}`,
          type: isReached && frontend ? 'list' : 'none',
          holds: isReached && frontend ? [frontend.name, ...frontend.urls] : [],
          secondsLeft: null,
          verdict: key === used ? 'used' : isReached ? 'absent' : 'not reached',
          faults: key === used ? (route?.faults ?? []) : [],
        };
      }),
      route,
      dead: {
        key: `dead:${host}`,
        type: dead.length > 0 ? 'set' : 'none',
        holds: dead.map(({ id }) => String(id)),
        secondsLeft: dead[0]?.secondsLeft ?? null,
        faults: [],
      },
      near: [...this.frontends.keys()]
        .filter((key) => key !== key.toLowerCase() && key.toLowerCase() === host)
        .map((key) => ({
          key: `frontend:${key}`,
          faults: [
            {
              code: 'upper-case',
              text: 'hosts are looked up in lower case',
              advice: `RENAME frontend:${key} frontend:${host}`,
            },
          ],
        })),
      store: { name: this.store.name, hasHealthChecker: false },
      workers: [
        {
          pid: 4711,
          generation: 2,
          knows: route === null ? 'nothing' : 'fresh',
          ageSeconds: route === null ? null : 3.2,
          key: used ?? null,
          name: route?.name ?? null,
          backends: route?.backends.map(({ url }) => url) ?? [],
          dead: dead.map(({ id }) => id),
          onTrial: [],
        },
        {
          pid: 4712,
          generation: 2,
          knows: 'nothing',
          ageSeconds: null,
          key: null,
          name: null,
          backends: [],
          dead: [],
          onTrial: [],
        },
      ],
      activity: route === null ? null : this.#activity(route),
      checks: route === null ? [] : checksOf(route.backends),
      traffic: route === null || !this.busiest.includes(route.name) ? null : this.#series(route.name, 300),
    };
  }

  #series(name: string, seconds: number): object {
    const now = Math.floor(Date.now() / 1000);
    const times = Array.from({ length: Math.min(300, seconds) }, (_, i, at = now - seconds + i) => at);
    const scale = 160 / (this.busiest.indexOf(name) + 1);
    const p50 = times.map((at) => 0.003 + 0.002 * noise(at + name.length));
    return {
      name,
      requests: times.map((at) => Math.round(scale * wave(at, name.length))),
      errors: times.map((at) => (noise(at + name.length) > 0.97 ? 1 : 0)),
      p50,
      p99: times.map((at) => 0.02 + 0.03 * noise(at * name.length)),
    };
  }

  #live(seconds: number): object {
    const now = Math.floor(Date.now() / 1000);
    const times = Array.from({ length: Math.min(300, seconds) }, (_, i, at = now - seconds + i) => at);
    const isQuiet = this.busiest.length === 0;
    const frontends = this.busiest.slice(0, 20).map((name) => this.#series(name, seconds));
    return {
      now,
      version: VERSION,
      needsToken: this.token !== null,
      total: {
        requests: times.map((at) => (isQuiet ? 0 : Math.round(420 * wave(at, 3)))),
        errors: times.map((at) => (isQuiet || noise(at) < 0.8 ? 0 : Math.round(noise(at) * 4))),
        p50: times.map((at) => 0.004 + 0.002 * noise(at + 1)),
        p99: times.map((at) => 0.03 + 0.03 * noise(at + 2) + 0.04 * wave(at, 9)),
      },
      frontends,
      connections: 1284,
      exchanges: 37,
      tunnels: 112,
      store: this.store,
      refused: this.refused,
      ready: this.ready,
    };
  }
}

/** The same for the same second, from 0 to 1. */
function noise(at: number): number {
  const x = Math.sin(at * 12.9898) * 43_758.5453;
  return x - Math.floor(x);
}

/** Traffic that comes and goes, about 0.5 to 1. */
function wave(at: number, phase: number): number {
  return 0.72 + 0.14 * Math.sin(at / 47 + phase) + 0.06 * Math.sin(at / 11) + 0.1 * (noise(at + phase) - 0.5);
}

/** One that starts has told nothing of itself. */
const NEWBORN: WorkerAnswer = {
  pid: 4713,
  generation: 3,
  state: 'starting',
  upSeconds: 0.2,
  residentBytes: null,
  heapBytes: null,
  connections: null,
  exchanges: null,
  tunnels: null,
  certificateFaults: null,
  loopDelay: null,
};

const worker = (pid: number, generation: number, state: WorkerAnswer['state'], connections: number): WorkerAnswer => ({
  pid,
  generation,
  state,
  upSeconds: generation === 2 ? 8142.4 : 93_541.7,
  residentBytes: 92_000_000 + pid * 900,
  heapBytes: 24_300_000 + pid * 500,
  connections,
  exchanges: Math.round(connections / 35),
  tunnels: Math.round(connections / 11),
  certificateFaults: 0,
  loopDelay: { p50: 0.000_12, p99: 0.0021, max: 0.0113 },
});

function workers(isReloading: boolean): WorkersAnswer {
  const settled = [worker(4711, 2, 'serving', 612), worker(4712, 2, 'serving', 609), worker(4398, 1, 'draining', 63)];
  return {
    master: { pid: 4710, version: VERSION, upSeconds: 93_600.5, residentBytes: 61_000_000 },
    workers: isReloading ? [...settled, NEWBORN] : settled,
  };
}

const found = (body: unknown): Answer => ({ status: 200, body });

const fault = (status: number, code: string, message: string): Answer => ({
  status,
  body: { error: { code, message } },
});

function tokenOffered(request: IncomingMessage): string | null {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
  const prefix = 'hipache.token.';
  const carrier = offered.find((each) => each.startsWith(prefix));
  if (carrier === undefined || !offered.includes('hipache.events')) return null;
  return Buffer.from(carrier.slice(prefix.length), 'base64url').toString();
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  return text === '' ? null : JSON.parse(text);
}

/** Every backend has passed its last check, but the dead ones. */
function checksOf(backends: readonly { readonly url: string; readonly state: string }[]): readonly object[] {
  return backends.map(({ url, state }) => {
    const passed = state !== 'dead';
    const detail = passed ? 'status 200' : 'status 503';
    return { url, state: passed ? 'up' : 'down', waits: false, passed, detail, secondsAgo: 2.1, router: 'edge1' };
  });
}
