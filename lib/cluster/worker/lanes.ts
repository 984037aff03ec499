import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Config } from '../../config/config.ts';
import type { CutReason } from '../../core/record/cut-reason.ts';
import type { ResponseCut } from '../../core/record/response-cut.ts';
import type { RouterError } from '../../core/errors.ts';
import { isDialled } from '../../core/routing/backend.ts';
import { BackendStates } from '../../backends/state/backend-states.ts';
import { ConnectionSlots } from '../../backends/slots/connection-slots.ts';
import { Permits } from '../../concurrency/permits.ts';
import { SiteQueue } from '../../concurrency/site-queue.ts';
import { Bandwidths } from '../../rates/bandwidths.ts';
import { RateLimits } from '../../rates/rate-limits.ts';
import { ShareTurns } from '../../rates/share-turns.ts';
import { RecentTurns } from '../../core/balance/turns.ts';
import { pickRandom } from '../../core/routing/selection.ts';
import { LimitsBySite } from '../../core/limits/limits-by-site.ts';
import { SpoolBudget } from '../../core/limits/spool.ts';
import { Dialer } from '../../backends/dialing/dialer.ts';
import { Names } from '../../backends/dialing/names.ts';
import { proveAcceptedReads, readNone } from '../../fastlane/accepted-reads.ts';
import { Lane } from '../../fastlane/lane.ts';
import type { LaneParts } from '../../fastlane/parts.ts';
import type { ReadAccepted } from '../../http1/read-buffer.ts';
import { logDeathEvent, logStoreEvent } from '../../observe/events.ts';
import type { WorkerState } from '../../observe/worker-metrics.ts';
import { TimeLimits } from '../../clock/time-limits.ts';
import { watchCrowds } from '../../backends/slots/slot-queues.ts';
import { loadSend } from '../../proxy/files/file-head.ts';
import { respondHere } from '../../proxy/files/local-response.ts';
import { RetryBudget } from '../../proxy/retry-budget.ts';
import type { Exchange } from '../../proxy/exchange.ts';
import { Forwarder } from '../../proxy/forward.ts';
import { Http2Sessions } from '../../backends/http2/sessions.ts';
import { Deaths } from '../../proxy/mark-dead.ts';
import type { Pages } from '../../proxy/pages.ts';
import { Pauses } from '../../proxy/pauses.ts';
import { pong } from '../../proxy/ping.ts';
import { AgentPool } from '../../backends/http1/agent-pool.ts';
import { RecoveryWatch } from '../../backends/recovery-watch.ts';
import { Outliers } from '../../backends/outliers.ts';
import { Trials } from '../../backends/trials.ts';
import { sendRedirect } from '../../proxy/redirect.ts';
import { bareResponses, errorMessage, refuse } from '../../proxy/refuse.ts';
import { judge, route, type RouterParts } from '../../proxy/router.ts';
import { SlowUploads } from '../../proxy/slow-uploads.ts';
import { StaticRoots } from '../../proxy/files/static-roots.ts';
import { Traffic } from '../../server/traffic.ts';
import { FaultLog } from '../../store/fault-log.ts';
import { LegacyRoutes } from '../../store/drivers/legacy-routes.ts';
import type { HealthMarks, RouteLookups } from '../../store/store.ts';
import { buffersOf } from './buffers.ts';
import { readPages } from './error-pages.ts';
import { StickySecret } from './sticky-secret.ts';
import { attemptMs, fullLaneLimits, fastLaneLimits } from './lane-limits.ts';
import type { LanesParts } from './lanes-parts.ts';

/** The two lanes of a worker, and what they share: connection slots, budgets, the state of backends. */
export class Lanes {
  readonly #config: Config;
  readonly #parts: LanesParts;
  readonly #clock = new TimeLimits();
  readonly #pages: Pages;
  readonly #slots: ConnectionSlots;
  readonly #spools = new SpoolBudget();
  readonly #permits: Permits;
  readonly #turns: ShareTurns;
  readonly #routes: RouteLookups & Pick<HealthMarks, 'hasHealthChecker'>;
  /** For all connections to backends. */
  readonly dialer: Dialer;
  readonly #pools: AgentPool;
  readonly #sessions: Http2Sessions;
  readonly #full: RouterParts;
  #proved: ReadAccepted = readNone;
  /** For both lanes and for HTTP/2: as `prepare` has found out. */
  readonly readAccepted: ReadAccepted = (socket, onBytes) => this.#proved(socket, onBytes);
  /** The run-time state of backends, for both lanes. */
  readonly backends = new BackendStates(Date.now);
  /** Null where the fast lane is off. */
  readonly fast: Lane | null;
  /** The open exchanges of both lanes. */
  readonly traffic: Traffic;

  constructor(config: Config, parts: LanesParts) {
    const { maxSockets, httpKeepAlive, fastLane, staticDir } = config.server;
    this.#config = config;
    this.#parts = parts;
    this.#pages = readPages(staticDir, parts.log);
    this.#turns = new ShareTurns({ shares: parts.shares, now: clockMs });
    this.#routes = config.server.legacyScheme ? new LegacyRoutes(parts.store) : parts.store;
    this.#slots = new ConnectionSlots(maxSockets);
    this.#permits = new Permits({ shares: parts.shares, now: clockMs });
    watchCrowds(this.#slots, this.#clock);
    this.dialer = new Dialer(config.backendTls, new Names(), parts.onShortage);
    const connecting = { maxSockets, keepAlive: httpKeepAlive, dialer: this.dialer, clock: this.#clock };
    this.#pools = new AgentPool(connecting);
    this.#sessions = new Http2Sessions(connecting, this.backends);
    this.#full = this.#routerParts();
    this.fast = fastLane ? new Lane(this.#laneParts()) : null;
    this.traffic = new Traffic(this.fast);
  }

  /** What is held for sites. */
  get held(): Pick<WorkerState, 'queued' | 'bufferedMemory' | 'bufferedFiles'> {
    const { memory, fileBytes } = this.#full.buffers.budget;
    return { queued: this.#permits.waiting, bufferedMemory: memory.used, bufferedFiles: fileBytes.used };
  }

  /** What it has leased of the limits that all workers share. */
  get shares(): Permits['leased'] & { readonly sharedRates: number } {
    return { ...this.#permits.leased, sharedRates: this.#turns.shared };
  }

  /** Finds out what this Node supports. Call it before there are connections. */
  async prepare(): Promise<void> {
    const { fastLane, sharedReads } = this.#config.server;
    if (fastLane && sharedReads) this.#proved = await proveAcceptedReads();
  }

  /** Serves an exchange in the full lane. */
  serve(exchange: Exchange): void {
    this.traffic.add(exchange, route(exchange, this.#full));
  }

  /** Responds to an exchange with an error. */
  refuse(exchange: Exchange, error: RouterError): void {
    const refused = this.#full.refuse(exchange, error);
    const over = Promise.all([refused, exchange.ended]).then(() => {
      this.#full.record(exchange);
      return exchange.over;
    });
    this.traffic.add(exchange, over);
  }

  /** A complete error response, for connections on which no request was read. */
  errorMessage(error: RouterError): Buffer {
    return errorMessage(this.#pages, error);
  }

  /** Closes idle HTTP/1.1 connections to backends, to free their file descriptors. */
  freeDescriptors(): void {
    this.#pools.closeAllIdle();
    this.fast?.close();
  }

  /** Closes idle connections to backends, and ends what is done in the background. */
  close(): void {
    this.#turns.close();
    this.#permits.close();
    this.#pools.close();
    this.#sessions.close();
    this.fast?.close();
    this.#parts.overload?.close();
  }

  #onResponseCut(cut: ResponseCut): void {
    if (cut.backend !== null) this.backends.cut(cut.backend, cut.why);
    this.#parts.recorder.responseCut(cut);
  }

  #routerParts(): RouterParts {
    const { server } = this.#config;
    const { store, log, recorder, isTrusted, securePort, isReady, isDraining, onEnded } = this.#parts;
    const limits = fullLaneLimits(server);
    const onCut = (reason: CutReason, { outgoing, peer, head }: Exchange): void =>
      recorder.cut(reason, outgoing?.clientIp ?? peer.address, head?.hostname ?? null);
    const onResponseCut = (why: Error, { outgoing, peer, head, trying: backend }: Exchange): void =>
      this.#onResponseCut({ client: outgoing?.clientIp ?? peer.address, host: head?.hostname ?? null, backend, why });
    const { readMs, readMinRate } = limits;
    const own = { clock: this.#clock, limits, readMs, readMinRate, onCut, isDraining };
    const routes = this.#routes;
    const refusing = { ...own, pages: this.#pages, store: routes };
    const bandwidths = new Bandwidths({ turns: this.#turns, clock: this.#clock, now: clockMs });
    const faults = new FaultLog((notice) => logStoreEvent(log, notice), clockMs);
    if (server.staticRoots.length > 0) loadSend();
    const files = {
      ...refusing,
      bandwidths,
      roots: new StaticRoots(server.staticRoots, clockMs),
      onFault: (key: string, fault: string): void => faults.tell(key, fault),
    };
    const buffers = buffersOf(server, (site, fault) => faults.tell(site, fault));
    const forwarder = new Forwarder({
      clock: this.#clock,
      limits,
      pools: this.#pools,
      sessions: this.#sessions,
      slots: this.#slots,
      backends: this.backends,
      hasBackendPath: server.backendPath,
      slowUploads: new SlowUploads(),
      bandwidths,
      spools: this.#spools,
      buffers,
      onCut,
      onResponseCut,
      use: recorder.use,
      isDraining,
      readAccepted: this.readAccepted,
    });
    const recoveryWatch = new RecoveryWatch(this.backends);
    const deaths = new Deaths({
      store,
      ttlSeconds: server.deadBackendTTL,
      now: clockMs,
      notify: (notice) => logDeathEvent(log, notice),
      onMarked: (death, at) => {
        recorder.metrics?.died();
        recoveryWatch.died(death.route, death.backend, at);
      },
    });
    return {
      store: routes,
      clock: this.#clock,
      limits,
      limitsBySite: new LimitsBySite(limits),
      buffers,
      admission: {
        store: routes,
        pauses: new Pauses({ store: routes, clock: this.#clock, max: server.limits.paused }),
        redirect: (exchange, redirect) => sendRedirect(exchange, redirect, own),
        securePort,
      },
      select: pickRandom,
      loadOf: this.backends.loadOf,
      aliveSince: this.backends.aliveSince,
      random: Math.random,
      now: clockMs,
      turns: new RecentTurns(),
      outliers: new Outliers(clockMs, (ejection) => logDeathEvent(log, { type: 'backend-rested', ...ejection })),
      trials: new Trials({ marks: store.trials, attemptMs: attemptMs(limits), now: clockMs }),
      overload: this.#parts.overload,
      rates: new RateLimits({ turns: this.#turns, now: clockMs }),
      permits: this.#permits,
      queue: new SiteQueue({ permits: this.#permits, clock: this.#clock, max: server.limits.queued }),
      zone: server.zone,
      sticky: new StickySecret(this.#parts.stickySecret, clockMs, (key, fault) => faults.tell(key, fault)),
      headerPolicy: {
        style: server.forwarded,
        isTrusted,
        serverName: hostname(),
        makeRequestId: server.requestId === 'off' ? null : randomUUID,
        tellsRequestId: server.requestId === 'both',
        trace: recorder.tracing?.policy ?? null,
      },
      budget: new RetryBudget(server.retryBudget),
      forward: (exchange, backend) =>
        isDialled(backend) ? forwarder.forward(exchange, backend) : respondHere(exchange, backend, files),
      markDead: (death, why) => void deaths.markDead(death, why),
      backends: this.backends,
      recoveryWatch,
      markAlive: (death, deadMs) => {
        logDeathEvent(log, { type: 'backend-alive', death, deadSeconds: Math.round(deadMs / 100) / 10 });
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
    const { recorder, isDraining, isClosing } = this.#parts;
    const { tracing, use, passed: record } = recorder;
    const full = this.#full;
    return {
      // The parts of both lanes.
      ...full,
      store: this.#routes,
      backends: this.backends,
      own: bareResponses(this.#pages),
      onRefused: (error, clientIp, host) => recorder.refusedFast(error, clientIp, host),
      slots: this.#slots,
      spools: this.#spools,
      onCut: (reason, clientIp, host) => recorder.cut(reason, clientIp, host),
      onResponseCut: (cut) => this.#onResponseCut(cut),
      maxSockets: server.maxSockets,
      dialer: this.dialer,
      use,
      isKeeping: server.httpKeepAlive,
      hasBackendPath: server.backendPath,
      limits: fastLaneLimits(server),
      judge: (judged) => judge(judged, full),
      record,
      trace: tracing && ((exchange) => tracing.take(exchange)),
      isDraining,
      isClosing,
      readAccepted: this.readAccepted,
    };
  }
}

function clockMs(): number {
  return performance.now();
}
