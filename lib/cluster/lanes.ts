import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import { packagePagesFolder } from '../config/package.ts';
import type { RouterError } from '../core/errors.ts';
import { isDialled } from '../core/backend.ts';
import { Places } from '../core/places.ts';
import { pickRandom } from '../core/selection.ts';
import { Dialer } from '../dial/dialer.ts';
import { Names } from '../dial/names.ts';
import { proveAcceptedReads } from '../fastlane/accepted-reads.ts';
import { Lane } from '../fastlane/lane.ts';
import type { LaneParts } from '../fastlane/parts.ts';
import type { Ledger } from '../observe/ledger.ts';
import { describeCause, type Log } from '../observe/log.ts';
import { logDeathNotice, logStoreNotice } from '../observe/notices.ts';
import { AlarmClock } from '../proxy/alarms.ts';
import { answerHere } from '../proxy/answer-here.ts';
import { RetryBudget } from '../proxy/budget.ts';
import type { Exchange } from '../proxy/exchange.ts';
import { Forwarder } from '../proxy/forward.ts';
import { Http2Sessions } from '../proxy/http2-sessions.ts';
import { mourn } from '../proxy/mourn.ts';
import { Pages } from '../proxy/pages.ts';
import { Pauses } from '../proxy/pauses.ts';
import { pong } from '../proxy/ping.ts';
import { Pools } from '../proxy/pools.ts';
import { Recoveries } from '../proxy/recoveries.ts';
import { answerRedirect } from '../proxy/redirect.ts';
import { errorMessage, refuse } from '../proxy/refuse.ts';
import { judge, route, type RouterParts } from '../proxy/router.ts';
import { SlowUploads } from '../proxy/slow-uploads.ts';
import { StaticRoots } from '../proxy/static-roots.ts';
import { Traffic } from '../server/traffic.ts';
import { FaultLog } from '../store/fault-log.ts';
import { LegacyRoutes } from '../store/legacy-routes.ts';
import type { RouteStore } from '../store/store.ts';
import { fullLaneLimits, fastLaneLimits } from './lane-limits.ts';

/** What the lanes are made with, and what they ask of their worker. */
export interface LanesParts {
  readonly store: RouteStore;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly isTrusted: (address: string) => boolean;
  /** Where clients can speak TLS; null where they cannot. */
  readonly securePort: () => number | null;
  /** Whether load balancers are to send requests here. */
  readonly isReady: () => boolean;
  /** Whether answers should ask clients to close their connection. */
  readonly isDraining: () => boolean;
  /** Whether connections are not to wait for a next request any more. */
  readonly isClosing: () => boolean;
  /** Told once of every exchange that has ended in the full lane; the ledger is told of the fast lane's. */
  readonly onEnded: (exchange: Exchange) => void;
}

/** The two lanes of a worker, and what they share: places, budgets, the memory of who was dead. */
export class Lanes {
  readonly #config: Config;
  readonly #parts: LanesParts;
  readonly #clock = new AlarmClock();
  readonly #pages: Pages;
  readonly #places: Places;
  readonly #routes: Pick<RouteStore, 'find' | 'peek' | 'page' | 'hasHealthChecker'>;
  readonly #dialer: Dialer;
  readonly #pools: Pools;
  readonly #sessions: Http2Sessions;
  readonly #full: RouterParts;
  #readsAccepted = false;
  /** Null where the configuration wants none. */
  readonly fast: Lane | null;
  /** What is under way in both. */
  readonly traffic: Traffic;

  constructor(config: Config, parts: LanesParts) {
    const { maxSockets, httpKeepAlive, fastLane, staticDir } = config.server;
    this.#config = config;
    this.#parts = parts;
    this.#pages = readPages(staticDir, parts.log);
    this.#routes = config.server.legacyScheme ? new LegacyRoutes(parts.store) : parts.store;
    this.#places = new Places(maxSockets);
    this.#dialer = new Dialer(config.backendTls, new Names());
    this.#pools = new Pools({ maxSockets, keepAlive: httpKeepAlive, dialer: this.#dialer });
    this.#sessions = new Http2Sessions({
      maxSockets,
      keepAlive: httpKeepAlive,
      dialer: this.#dialer,
      clock: this.#clock,
    });
    this.#full = this.#routerParts();
    this.fast = fastLane ? new Lane(this.#laneParts()) : null;
    this.#pools.other = this.fast;
    this.traffic = new Traffic(this.fast);
  }

  /** Finds out what this Node can do, before there are connections. */
  async prepare(): Promise<void> {
    const { fastLane, sharedReads } = this.#config.server;
    this.#readsAccepted = fastLane && sharedReads && (await proveAcceptedReads());
  }

  /** Answers an exchange, in the full lane. */
  serve(exchange: Exchange): void {
    this.traffic.add(exchange, route(exchange, this.#full));
  }

  /** Answers an exchange that cannot be served. */
  refuse(exchange: Exchange, error: RouterError): void {
    const refused = this.#full.refuse(exchange, error);
    const recorded = Promise.all([refused, exchange.ended]).then(() => this.#full.record(exchange));
    this.traffic.add(exchange, recorded);
  }

  /** A whole error answer, for connections without a request to answer. */
  errorMessage(error: RouterError): Buffer {
    return errorMessage(this.#pages, error);
  }

  /** Closes the connections to backends that are idle. */
  close(): void {
    this.#pools.close();
    this.#sessions.close();
    this.fast?.close();
  }

  #routerParts(): RouterParts {
    const { server } = this.#config;
    const { store, log, ledger, isTrusted, securePort, isReady, isDraining, onEnded } = this.#parts;
    const limits = fullLaneLimits(server);
    const { bodyMs, responseMs } = limits;
    const own = { clock: this.#clock, bodyMs, responseMs, isDraining };
    const routes = this.#routes;
    const refusing = { ...own, pages: this.#pages, store: routes };
    const faults = new FaultLog(
      (notice) => logStoreNotice(log, notice),
      () => performance.now(),
    );
    const files = {
      ...refusing,
      limits,
      roots: new StaticRoots(server.staticRoots, () => performance.now()),
      onFault: (key: string, fault: string): void => faults.tell(key, fault),
    };
    const forwarder = new Forwarder({
      clock: this.#clock,
      limits,
      pools: this.#pools,
      sessions: this.#sessions,
      places: this.#places,
      hasBackendPath: server.backendPath,
      slowUploads: new SlowUploads(),
      use: ledger.use,
      isDraining,
    });
    return {
      store: routes,
      admission: {
        store: routes,
        pauses: new Pauses({ store: routes, clock: this.#clock, max: server.limits.paused }),
        redirect: (exchange, redirect) => answerRedirect(exchange, redirect, own),
        securePort,
      },
      select: pickRandom,
      random: Math.random,
      headerPolicy: {
        style: server.forwarded,
        isTrusted,
        serverName: hostname(),
        makeRequestId: server.requestId === 'off' ? null : randomUUID,
        tellsRequestId: server.requestId === 'both',
        trace: ledger.tracing?.policy ?? null,
      },
      budget: new RetryBudget(server.retryBudget),
      forward: (exchange, backend) =>
        isDialled(backend) ? forwarder.forward(exchange, backend) : answerHere(exchange, backend, files),
      mourn: (death, why) => {
        ledger.figures?.died();
        void mourn(death, why, server.deadBackendTTL, store, (notice) => logDeathNotice(log, notice));
      },
      recoveries: new Recoveries(),
      welcome: (death, deadMs) => {
        logDeathNotice(log, { type: 'backend-alive', death, deadSeconds: Math.round(deadMs / 100) / 10 });
      },
      pong: (exchange) => pong(exchange, isReady(), own),
      refuse: (exchange, error) => refuse(exchange, error, refusing),
      record: onEnded,
      policy: {
        retries: server.retryOnError,
        deadOn500: server.deadBackendOn500,
        maxBodyBytes: server.limits.bodyBytes,
      },
    };
  }

  #laneParts(): LaneParts {
    const { server } = this.#config;
    const { ledger, isDraining, isClosing } = this.#parts;
    const { tracing, use, passed: record } = ledger;
    const full = this.#full;
    const { select, random, headerPolicy, budget, recoveries } = full;
    return {
      store: this.#routes,
      select,
      random,
      now: () => performance.now(),
      headerPolicy,
      budget,
      places: this.#places,
      otherPool: this.#pools,
      maxSockets: server.maxSockets,
      dialer: this.#dialer,
      use,
      isKeeping: server.httpKeepAlive,
      hasBackendPath: server.backendPath,
      limits: fastLaneLimits(server),
      judge: (found, backend, outcome, begunAt) => judge(found, backend, outcome, begunAt, full),
      recoveries,
      record,
      trace: tracing && ((exchange) => tracing.take(exchange)),
      isDraining,
      isClosing,
      readsAccepted: () => this.#readsAccepted,
    };
  }
}

function readPages(staticDir: string | null, log: Log): Pages {
  const folders = staticDir === null ? [packagePagesFolder] : [packagePagesFolder, staticDir];
  return Pages.read(folders, (path, cause) =>
    log.error({ event: 'page-unreadable', path, cause: describeCause(cause) }, `no error pages from ${path}`),
  );
}
