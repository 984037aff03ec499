/** A worker: makes its parts, handles the master's messages, starts, drains and ends. */
import type { Question } from '../../admin/questions.ts';
import type { Config } from '../../config/config.ts';
import type { Load } from '../../core/limits/memory-judgement.ts';
import type { MetricsReport } from '../../observe/worker-metrics.ts';
import { ExchangeRecorder } from '../../observe/exchange-recorder.ts';
import { createLog, type Log } from '../../observe/log.ts';
import { watchMemory } from '../../observe/memory.ts';
import { logStoreEvent } from '../../observe/events.ts';
import type { Exchange } from '../../proxy/exchange.ts';
import { trust } from '../../proxy/trust.ts';
import { Certificates } from '../../server/certificates.ts';
import type { ConnectionLimit } from '../../server/connection-limit.ts';
import { StoreCounts } from '../../store/store-counts.ts';
import { startChecks } from './checks.ts';
import { makeConnectionLimit } from './connection-limit.ts';
import type { WorkerHost } from './host.ts';
import { answer } from './query-replies.ts';
import { Heartbeats } from './heartbeats.ts';
import { LastGoodFromMaster } from './last-good-certificates.ts';
import { Lanes } from './lanes.ts';
import { LastRequests } from './last-requests.ts';
import { Listeners } from './listeners.ts';
import type { Configure, ToMaster, ToWorker } from '../messages.ts';
import { dropPrivileges } from '../privileges.ts';
import { watchOverload } from './overload.ts';
import { reopenLogs } from './reopen-logs.ts';
import { WorkerStore } from './store.ts';

/** How many heartbeats a worker sends within `server.workerTimeout`. */
const BEATS = 4;

/** How often idle connections are closed for want of file descriptors, at most, ms. */
const FREE_MS = 50;

/** Everything a worker process does, from its configuration to its end. */
export class Worker {
  readonly #config: Config;
  readonly #say: (message: ToMaster) => void;
  readonly #log: Log;
  readonly #recorder: ExchangeRecorder;
  readonly #store: WorkerStore;
  readonly #lanes: Lanes;
  readonly #connectionLimit: ConnectionLimit;
  readonly #goodPairs: LastGoodFromMaster;
  readonly #certificates: Certificates;
  readonly #listeners: Listeners;
  readonly #lastRequests: LastRequests;
  readonly #heartbeats: Heartbeats;
  readonly #heart: NodeJS.Timeout | null;
  #isReady = true;
  #freedAt = -Infinity;
  #drained: Promise<void> | null = null;
  #stopWatching: () => void = () => {};
  #stopChecks: () => void = () => {};

  /** @param host what differs without a master process @throws Error with a sentence for the operator */
  constructor(configure: Configure, say: (message: ToMaster) => void, host: WorkerHost = {}) {
    const { config } = configure;
    const { admin, server } = config;
    const { limits, timeouts, workerTimeout } = server;
    this.#config = config;
    this.#say = say;
    this.#log = createLog(server, admin && ((line) => say({ type: 'event', line })), host.isSilent);
    this.#recorder = new ExchangeRecorder(config, this.#log);
    this.#store = new WorkerStore(configure, {
      say,
      notify: (notice) => logStoreEvent(this.#log, notice),
      counts: this.#recorder.metrics?.store ?? new StoreCounts(),
      host,
    });
    const beat = (): void => say({ type: 'alive' });
    this.#heart = workerTimeout > 0 ? setInterval(beat, (workerTimeout * 1000) / BEATS).unref() : null;
    this.#connectionLimit = makeConnectionLimit(limits, this.#recorder, this.#log);
    this.#lastRequests = new LastRequests((timeouts.idle || Infinity) * 1000);
    const isTrusted = trust(server.trustedProxies);
    const isDraining = (): boolean => this.#drained !== null;
    this.#lanes = new Lanes(config, {
      store: this.#store.routes,
      stickySecret: this.#store.stickySecret,
      shares: this.#store.shares,
      overload: watchOverload(server, this.#log),
      log: this.#log,
      recorder: this.#recorder,
      isTrusted,
      securePort: () => this.#listeners.securePort,
      isReady: () => this.#isReady,
      isDraining,
      isClosing: () => this.#lastRequests.isOver,
      onShortage: () => this.#freeDescriptors(),
      onEnded: (exchange) => this.#onEnded(exchange),
    });
    const connections = (): number => this.#connectionLimit.inside;
    this.#heartbeats = new Heartbeats(configure, this.#store, { lanes: this.#lanes, connections, isDraining });
    this.#goodPairs = new LastGoodFromMaster(configure.goodPairs, say);
    this.#certificates = new Certificates({
      store: this.#store.certificates,
      goodPairs: this.#goodPairs,
      onFault: (key, fault) => logStoreEvent(this.#log, { type: 'certificate-fault', key, fault }),
      now: Date.now,
    });
    this.#listeners = new Listeners(config, {
      say,
      log: this.#log,
      timeouts,
      headerBytes: limits.headerBytes,
      connectionLimit: this.#connectionLimit,
      onShortage: () => this.#freeDescriptors(),
      isTrusted,
      certificates: this.#certificates,
      ticketKeys: configure.ticketKeys,
      lane: this.#lanes.fast,
      readAccepted: this.#lanes.readAccepted,
      serve: (exchange) => this.#lanes.serve(exchange),
      refuse: (exchange, error) => this.#lanes.refuse(exchange, error),
      errorMessage: (error) => this.#lanes.errorMessage(error),
      recordHttp2Refusal: (refusal, peer) => this.#recorder.refusedHttp2(refusal, peer.address),
      recordGarbage: (line, error, { peer }, bytes) => this.#recorder.garbage(line, error, peer.address, bytes),
    });
  }

  /** Starts to accept. @returns the URLs of the listeners. @throws Error with a sentence for the operator */
  async start(): Promise<readonly string[]> {
    const { runAs, server } = this.#config;
    await this.#lanes.prepare();
    // While this process may still read every file.
    await this.#recorder.tracing?.open();
    // With a routes file, other workers serve until this one has the routes. Redis may be down: then it listens
    // nevertheless.
    await Promise.all([this.#store.fed?.ready(), this.#store.fed?.certificates.ready()]);
    const listening = await this.#listeners.open();
    if (runAs) dropPrivileges(runAs);
    this.#recorder.start();
    await this.#store.routes.ready();
    this.#heartbeats.start();
    const { checks } = this.#store;
    if (this.#drained === null) this.#stopChecks = startChecks(checks, this.#lanes.dialer, this.#recorder, this.#log);
    this.#stopWatching = watchMemory({
      limits: server.memory,
      intervalSeconds: server.memory.interval,
      load: () => this.#load(),
      onExcess: (excess) => this.#say({ type: 'fat', excess }),
    });
    return listening;
  }

  /** Handles a message of the master. @param socket the socket sent with it */
  hear(message: Exclude<ToWorker, { type: 'configure' | 'drain' }>, socket: object | undefined): void {
    switch (message.type) {
      case 'socket':
        this.#listeners.take(message.index, socket);
        return;
      case 'routes':
      case 'certificates':
      case 'dead':
      case 'alive':
      case 'last-living':
      case 'trial-reply':
      case 'checked':
      case 'shares':
      case 'snapshot-reply':
        this.#store.hear(message);
        return;
      case 'ask':
        this.#tell(message.id, message.question);
        return;
      case 'reopen-logs':
        reopenLogs(this.#recorder, this.#config.runAs, this.#say, this.#log);
        return;
      case 'ticket-keys':
        this.#listeners.sealWith(message.keys);
        return;
      case 'pair-news':
        this.#goodPairs.hear(message.news);
        if (message.news.is !== 'unknown') this.#certificates.forget(message.news.key);
        return;
      case 'pair':
        this.#goodPairs.take(message.key, message.pair);
        return;
      case 'pause':
        this.#listeners.pause();
        return;
      case 'accept':
        this.#listeners.accept();
        return;
      case 'unready':
        this.#isReady = false;
        return;
      case 'cut':
        this.#lanes.traffic.cut();
        return;
    }
  }

  /**
   * Stops accepting, finishes open exchanges within the limits, frees everything. Idempotent.
   * @param isEnd the program ends; otherwise other workers serve, and clients get time for one more request
   */
  drain(isEnd: boolean): Promise<void> {
    if (isEnd) this.#lastRequests.hurry();
    this.#drained ??= this.#finish();
    return this.#drained;
  }

  /** Logs the bug that ends this worker. */
  die(error: unknown): void {
    this.#log.fatal({ event: 'worker-mistake', err: error }, 'a bug in the router: this worker exits');
  }

  /** Writes buffered log lines synchronously, before the process exits. */
  flush(): void {
    this.#recorder.flushSync();
    this.#log.end();
  }

  async #finish(): Promise<void> {
    this.#stopWatching();
    this.#stopChecks();
    this.#say({ type: 'closing' });
    await this.#listeners.stop();
    this.#say({ type: 'closed' });
    const { requests, tunnels } = this.#config.server.drain;
    const startedAt = performance.now();
    // A request at the end of the first half has the second half of the time.
    await this.#lastRequests.ended((requests * 1000) / 2, this.#connectionLimit.emptied());
    this.#lanes.fast?.closeIdleClients();
    this.#listeners.closeIdle();
    const waitedMs = performance.now() - startedAt;
    await this.#lanes.traffic.drained({
      requestsMs: Math.max(0, requests * 1000 - waitedMs),
      tunnelsMs: Math.max(0, tunnels * 1000 - waitedMs),
    });
    this.#listeners.closeIdle();
    await this.#listeners.flushed();
    this.#listeners.close();
    this.#lanes.close();
    await this.#heartbeats.close();
    await this.#store.routes.close();
    await this.#recorder.close();
    if (this.#config.admin) this.#tell(0, { type: 'metrics' });
    if (this.#heart) clearInterval(this.#heart);
  }

  #onEnded(exchange: Exchange): void {
    this.#recorder.ended(exchange);
    // After the drain's first half no connection waits for a next request.
    if (this.#lastRequests.isOver) this.#listeners.closeIdle();
  }

  /** No file descriptor is left: closes idle connections of clients and backends. */
  #freeDescriptors(): void {
    const now = performance.now();
    // Many connections report the shortage at once.
    if (now < this.#freedAt + FREE_MS) return;
    this.#freedAt = now;
    this.#lanes.freeDescriptors();
    this.#connectionLimit.shed();
  }

  #load(): Load {
    const { traffic } = this.#lanes;
    const { tunnels } = traffic;
    const { hosts, bytes } = this.#store.routes.remembered;
    return {
      connections: this.#connectionLimit.inside,
      secureConnections: this.#connectionLimit.secure,
      ...this.#listeners.http2,
      tunnels,
      exchanges: traffic.size - tunnels,
      hosts,
      routesBytes: bytes,
      certificates: this.#certificates.size,
    };
  }

  #tell(id: number, question: Question): void {
    const sources = {
      store: this.#store.routes,
      certificates: this.#certificates,
      backends: this.#lanes.backends,
      heartbeats: this.#heartbeats,
      takeMetrics: () => this.#takeMetrics(),
    };
    answer(question, sources, (reply) => this.#say({ type: 'told', id, answer: reply }));
  }

  #takeMetrics(): MetricsReport | null {
    const { traffic } = this.#lanes;
    return this.#recorder.take({
      connections: this.#connectionLimit.inside,
      exchanges: traffic.size,
      tunnels: traffic.tunnels,
      ...this.#lanes.held,
      isStoreUp: this.#store.isUp,
      hasRoutes: this.#store.hasRoutes,
      certificateFaults: this.#certificates.faults,
    });
  }
}
