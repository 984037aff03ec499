/** The composition root: the one place where the parts of a worker are made and joined. */
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import type { Answer, Question } from '../admin/questions.ts';
import type { Config } from '../config/config.ts';
import { packagePagesFolder } from '../config/package.ts';
import { readAccessFormat } from '../core/access-format.ts';
import { bracketed } from '../core/hostname.ts';
import { Places } from '../core/places.ts';
import { pickRandom } from '../core/selection.ts';
import { parseDriverUrl } from '../core/driver-url.ts';
import { syslogSocket } from '../core/syslog-socket.ts';
import { Lane } from '../fastlane/lane.ts';
import { proveAcceptedReads } from '../fastlane/accepted-reads.ts';
import type { LaneParts } from '../fastlane/parts.ts';
import { AccessLines } from '../observe/access-line.ts';
import { Figures, type WorkerFigures } from '../observe/figures.ts';
import { LineFile } from '../observe/line-file.ts';
import { createLog, describeCause, type Log } from '../observe/log.ts';
import { watchMemory } from '../observe/memory.ts';
import { logDeathNotice, logStoreNotice, syslogNotices } from '../observe/notices.ts';
import { accessRecord } from '../observe/record.ts';
import { logGarbage, logRefusal } from '../observe/refusals.ts';
import { SyslogLines } from '../observe/syslog-lines.ts';
import { tracedExchange } from '../observe/traced.ts';
import { Tracing } from '../observe/tracing.ts';
import { AlarmClock } from '../proxy/alarms.ts';
import { RetryBudget } from '../proxy/budget.ts';
import type { Exchange } from '../proxy/exchange.ts';
import { Forwarder } from '../proxy/forward.ts';
import type { Limits } from '../proxy/limits.ts';
import { mourn } from '../proxy/mourn.ts';
import { Pages } from '../proxy/pages.ts';
import { pong } from '../proxy/ping.ts';
import { Pools } from '../proxy/pools.ts';
import { Recoveries } from '../proxy/recoveries.ts';
import { errorMessage, refuse } from '../proxy/refuse.ts';
import { SlowUploads } from '../proxy/slow-uploads.ts';
import { judge, route, type RouterParts } from '../proxy/router.ts';
import { trust } from '../proxy/trust.ts';
import { Listener, type ListenerParts } from '../server/listener.ts';
import { Room } from '../server/room.ts';
import { Traffic } from '../server/traffic.ts';
import type { FileStore } from '../store/file.ts';
import type { SnapshotSettings } from '../store/open-redis.ts';
import { type OpenedStore, openStore } from '../store/open.ts';
import { readSnapshot } from '../store/snapshot-file.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { StoreCounts } from '../store/store-counts.ts';
import type { RouteStore, StoreNotice } from '../store/store.ts';
import { Headcount } from './headcount.ts';
import { listenFault } from './listen-fault.ts';
import type { Configure, ToMaster, ToWorker } from './messages.ts';
import { roomForClients } from './open-files.ts';
import { dropPrivileges } from './privileges.ts';

/** For how long a worker leaves new connections to others, ms: they may hang or die meanwhile. */
const PAUSE_MS = 1_000;
/** How long a program that ends waits for next requests on connections that are open, ms. */
const LAST_IDLE_MS = 1_000;
/** How often a lack of descriptors is told of, ms. */
const REMIND_MS = 60_000;
/** A worker says that it lives so many times within `server.workerTimeout`. */
const BEATS = 4;
/**
 * So many times as many frontends as have figures of their own are counted by a worker at a time: it does not know
 * which they are.
 */
const ROWS_PER_NAME = 4;

/** Everything a worker process does, from its configuration to its end. */
export class Worker {
  readonly #config: Config;
  readonly #say: (message: ToMaster) => void;
  readonly #log: Log;
  readonly #store: RouteStore;
  readonly #fileStore: FileStore | null;
  readonly #accessLog: LineFile | SyslogLines | null;
  readonly #lines: AccessLines;
  /** Null where nobody can ask for them. */
  readonly #figures: Figures | null;
  readonly #use = { opened: 0, reused: 0 };
  /** Those that do not answer. */
  readonly #silentStores = new Set<string>();
  readonly #tracing: Tracing | null;
  readonly #clock = new AlarmClock();
  readonly #traffic: Traffic;
  readonly #pages: Pages;
  readonly #places: Places;
  readonly #pools: Pools;
  readonly #lane: Lane | null;
  readonly #room: Room;
  readonly #listeners: readonly Listener[];
  readonly #heart: NodeJS.Timeout | null;
  /** Told of the first time that a listener accepts, or cannot. */
  readonly #starting = new Map<Listener, (outcome: AddressInfo | Error) => void>();
  #readsAccepted = false;
  #isReady = true;
  #drained: Promise<void> | null = null;
  /** Connections that wait for a next request are closed. */
  #isClosing = false;
  /** The program ends. */
  #isEnd = false;
  #hurry: () => void = () => {};
  #pausing: NodeJS.Timeout | null = null;
  #remindedAt = -Infinity;
  #stopWatching: () => void = () => {};

  /** @throws Error with a sentence for the operator */
  constructor({ config, mindsRun }: Configure, say: (message: ToMaster) => void) {
    this.#config = config;
    this.#say = say;
    this.#figures = config.admin && new Figures(ROWS_PER_NAME * config.metrics.topN, this.#use);
    this.#log = createLog(config.server, config.admin && ((line) => this.#say({ type: 'event', line })));
    const { store, file } = this.#openStore(mindsRun);
    this.#store = store;
    this.#fileStore = file;
    this.#accessLog = this.#openAccessLog();
    this.#lines = new AccessLines(readAccessFormat(config.server.accessLogFormat), Date.now);
    this.#tracing = config.otel && new Tracing(config.otel, this.#log);
    this.#pages = this.#readPages();
    const { maxSockets, httpKeepAlive, limits, workerTimeout } = config.server;
    const beat = (): void => this.#say({ type: 'alive' });
    this.#heart = workerTimeout > 0 ? setInterval(beat, (workerTimeout * 1000) / BEATS).unref() : null;
    this.#room = new Room(Math.min(limits.connections || Infinity, roomForClients()));
    this.#places = new Places(maxSockets);
    this.#pools = new Pools({ maxSockets, keepAlive: httpKeepAlive });
    const isTrusted = trust(config.server.trustedProxies);
    const routerParts = this.#routerParts(isTrusted);
    this.#lane = config.server.fastLane ? new Lane(this.#laneParts(routerParts)) : null;
    this.#pools.other = this.#lane;
    this.#traffic = new Traffic(this.#lane);
    this.#listeners = this.#createListeners(isTrusted, routerParts);
  }

  /** Begins to accept. @returns where, as URLs. @throws Error with a sentence for the operator */
  async start(): Promise<readonly string[]> {
    const { runAs, server } = this.#config;
    const where: string[] = [];
    this.#readsAccepted = server.fastLane && server.sharedReads && (await proveAcceptedReads());
    // While it may still read every file.
    await this.#tracing?.open();
    // With routes of a file, others serve until this worker has them; a Redis that is down must not keep it from listening.
    await this.#fileStore?.ready();
    for (const listener of this.#listeners) {
      const { address, tls } = listener.config;
      const { port } = await this.#firstOpen(listener);
      where.push(`${tls ? 'https' : 'http'}://${bracketed(address)}:${port}`);
    }
    if (runAs) dropPrivileges(runAs);
    if (this.#accessLog instanceof SyslogLines) this.#accessLog.start();
    await this.#store.ready();
    this.#stopWatching = watchMemory(server.memory.limitMB, server.memory.interval, (megabytes) =>
      this.#say({ type: 'fat', megabytes }),
    );
    return where;
  }

  /** @param socket what came with a message */
  hear(message: Exclude<ToWorker, { type: 'configure' | 'drain' }>, socket: object | undefined): void {
    switch (message.type) {
      case 'socket': {
        const listener = this.#listeners[message.index];
        listener?.take(socket ?? listener.ownPlace);
        return;
      }
      case 'routes':
        this.#fileStore?.take(message.piece);
        return;
      case 'dead':
        this.#fileStore?.bury(message.mark);
        return;
      case 'ask':
        this.#say({ type: 'told', id: message.id, answer: this.#answer(message.question) });
        return;
      case 'reopen-logs':
        this.#reopenLogs();
        return;
      case 'pause':
        for (const listener of this.#listeners) listener.shut('ahead');
        clearTimeout(this.#pausing ?? undefined);
        this.#pausing = setTimeout(() => this.#acceptAgain(), PAUSE_MS);
        return;
      case 'accept':
        this.#acceptAgain();
        return;
      case 'unready':
        this.#isReady = false;
        return;
      case 'cut':
        this.#traffic.cut();
        return;
    }
  }

  /**
   * Stops accepting, finishes what is under way within the limits, frees everything. Idempotent.
   * @param isEnd the program ends; otherwise there are others, and time for clients to send next requests and be told
   */
  drain(isEnd: boolean): Promise<void> {
    this.#isEnd ||= isEnd;
    this.#drained ??= this.#finish();
    if (isEnd) this.#hurry();
    return this.#drained;
  }

  /** The last words of a worker that made a mistake. */
  die(error: unknown): void {
    this.#log.fatal({ event: 'worker-mistake', err: error }, 'a mistake of the program itself: this worker ends');
  }

  /** Writes what is left for the logs, at once: the process ends. */
  flush(): void {
    this.#accessLog?.flushSync();
    this.#log.end();
  }

  async #finish(): Promise<void> {
    this.#stopWatching();
    this.#say({ type: 'closing' });
    await Promise.all(this.#listeners.map((listener) => listener.stop()));
    this.#say({ type: 'closed' });
    const { requests, tunnels } = this.#config.server.drain;
    const startedAt = performance.now();
    // A request that comes at the end of the first half has the second.
    await this.#lastRequests((requests * 1000) / 2);
    const waitedMs = performance.now() - startedAt;
    await this.#traffic.drained({
      requestsMs: Math.max(0, requests * 1000 - waitedMs),
      tunnelsMs: Math.max(0, tunnels * 1000 - waitedMs),
    });
    for (const listener of this.#listeners) listener.closeIdle();
    this.#pools.close();
    this.#lane?.close();
    await this.#store.close();
    await this.#accessLog?.close();
    await this.#tracing?.close();
    if (this.#figures) {
      this.#say({ type: 'told', id: 0, answer: this.#answer({ type: 'figures' }) });
      this.#figures.close();
    }
    if (this.#heart) clearInterval(this.#heart);
  }

  /**
   * A connection that is open may bring one more request at any moment, and to close it then would lose that. So those
   * that come are answered with `Connection: close` (RFC 9112 §9.6), and only who brings none for long is closed.
   */
  async #lastRequests(limitMs: number): Promise<void> {
    const { idle } = this.#config.server.timeouts;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#hurry = () => {
        clearTimeout(timer);
        timer = setTimeout(resolve, Math.min(limitMs, this.#isEnd ? LAST_IDLE_MS : (idle || Infinity) * 1000));
      };
      this.#hurry();
      void this.#room.emptied().then(resolve);
    });
    clearTimeout(timer);
    this.#hurry = () => {};
    this.#isClosing = true;
    this.#lane?.closeIdleClients();
    for (const listener of this.#listeners) listener.closeIdle();
  }

  #firstOpen(listener: Listener): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#starting.set(listener, (outcome) => {
        this.#starting.delete(listener);
        if (!(outcome instanceof Error)) return resolve(outcome);
        const { address, port } = listener.config;
        reject(new Error(`cannot listen on ${address} port ${port}: ${listenFault(outcome)}`, { cause: outcome }));
      });
      listener.open();
    });
  }

  #onOpen(listener: Listener, address: AddressInfo): void {
    this.#starting.get(listener)?.(address);
    if (this.#config.server.workers > 1) this.#say({ type: 'accepts' });
  }

  #onListenerFault(listener: Listener, error: NodeJS.ErrnoException): void {
    const starting = this.#starting.get(listener);
    if (starting) return starting(error);
    const cause = listenFault(error);
    if (error.syscall === 'accept') {
      if (performance.now() < this.#remindedAt + REMIND_MS) return;
      this.#remindedAt = performance.now();
      this.#log.error({ event: 'accept-failed', cause }, `connections cannot be accepted for the moment: ${cause}`);
      return;
    }
    this.#log.error({ event: 'listen-failed', cause }, `this worker cannot accept again: ${cause}`);
    this.#say({ type: 'leaving' });
  }

  #acceptAgain(): void {
    if (this.#pausing === null) return;
    clearTimeout(this.#pausing);
    this.#pausing = null;
    for (const listener of this.#listeners) listener.reopen('ahead');
  }

  get #isDraining(): boolean {
    return this.#drained !== null;
  }

  #openStore(mindsRun: boolean): OpenedStore {
    const { driver, driverTls, server, cache } = this.#config;
    return openStore({
      read: parseDriverUrl(driver.read, driverTls),
      write: parseDriverUrl(driver.write, driverTls),
      timeoutMs: server.storeTimeout * 1000,
      cache: {
        mode: cache.mode,
        max: server.lruCache?.size ?? cache.max,
        maxAgeMs: cache.maxAge * 1000,
        maxStaleMs: cache.maxStale * 1000,
        lruMs: (server.lruCache?.ttl ?? 0) * 1000,
      },
      deadMs: server.deadBackendTTL * 1000,
      snapshot: cache.snapshot === null ? null : this.#snapshot(cache.snapshot, mindsRun),
      counts: this.#figures?.store ?? new StoreCounts(),
      notify: (notice) => this.#onStoreNotice(notice),
      file: {
        wantPiece: () => this.#say({ type: 'want-routes' }),
        share: (mark) => this.#say({ type: 'dead', mark }),
      },
    });
  }

  #onStoreNotice(notice: StoreNotice): void {
    if (notice.type === 'store-down') this.#silentStores.add(notice.store);
    if (notice.type === 'store-up') this.#silentStores.delete(notice.store);
    logStoreNotice(this.#log, notice);
  }

  #answer(question: Question): Answer {
    const { type } = question;
    switch (type) {
      case 'figures':
        return { type, figures: this.#takeFigures() };
      case 'recollect':
        return { type, recollection: this.#store.recollect(question.host) };
      case 'marks':
        return { type, marks: this.#store.ownMarks(question.host) };
      case 'forget':
        return { type, hosts: this.#store.forget(question.host) };
    }
  }

  #takeFigures(): WorkerFigures | null {
    return (
      this.#figures?.take({
        connections: this.#room.inside,
        exchanges: this.#traffic.size,
        tunnels: this.#traffic.tunnels,
        isStoreUp: this.#silentStores.size === 0,
        linesDropped: this.#accessLog?.dropped ?? 0,
        spansDropped: this.#tracing?.dropped ?? 0,
      }) ?? null
    );
  }

  /** Read here and now: a worker that has given up its rights could not. */
  #snapshot(path: string, mindsRun: boolean): SnapshotSettings {
    return { last: lastSnapshot(path), mindsRun, learn: (lesson) => this.#say({ type: 'learned', lesson }) };
  }

  #openAccessLog(): LineFile | SyslogLines | null {
    const { accessLog } = this.#config.server;
    if (accessLog === null) return null;
    const socket = syslogSocket(accessLog);
    if (socket !== null) return new SyslogLines(socket, syslogNotices(this.#log));
    try {
      return new LineFile(accessLog, (cause) =>
        this.#log.error({ event: 'log-failed', cause: describeCause(cause) }, 'the access log cannot be written'),
      );
    } catch (error) {
      throw new Error(`server.accessLog: ${describeCause(error)}`, { cause: error });
    }
  }

  #reopenLogs(): void {
    try {
      this.#accessLog?.reopen();
    } catch (error) {
      if (this.#config.runAs) {
        // In a folder that only root may enter, a worker that still is root can: the successor opens it at its start.
        this.#say({ type: 'leaving' });
        return;
      }
      this.#log.error({ event: 'log-failed', cause: describeCause(error) }, 'the access log cannot be opened anew');
    }
  }

  #readPages(): Pages {
    const { staticDir } = this.#config.server;
    const folders = staticDir === null ? [packagePagesFolder] : [packagePagesFolder, staticDir];
    return Pages.read(folders, (path, cause) =>
      this.#log.error({ event: 'page-unreadable', path, cause: describeCause(cause) }, `no error pages from ${path}`),
    );
  }

  #createListeners(isTrusted: (address: string) => boolean, routerParts: RouterParts): Listener[] {
    const { server, listeners } = this.#config;
    const pages = this.#pages;
    const headcount = server.workers > 1 ? new Headcount((open) => this.#say({ type: 'open', open })) : null;
    const parts: ListenerParts = {
      timeouts: server.timeouts,
      lane: this.#lane,
      headerBytes: server.limits.headerBytes,
      room: this.#room,
      isTrusted,
      count: headcount && ((by) => headcount.change(by)),
      wantSocket: (listener) => this.#say({ type: 'want-socket', index: this.#listeners.indexOf(listener) }),
      onOpen: (listener, address) => this.#onOpen(listener, address),
      onFault: (listener, error) => this.#onListenerFault(listener, error),
      serve: (exchange) => this.#traffic.add(exchange, route(exchange, routerParts)),
      refuse: (exchange, error) => {
        routerParts.refuse(exchange, error);
        const recorded = exchange.ended.then(() => this.#record(exchange));
        this.#traffic.add(exchange, recorded);
      },
      errorMessage: (status) => errorMessage(pages, status),
      recordGarbage: (line, error, { peer }, bytes) => {
        this.#figures?.refused(error.code);
        logGarbage(this.#log, error, peer.address);
        this.#accessLog?.append(this.#lines.ofGarbage(peer.address, line, error.status, bytes));
      },
    };
    return listeners.map((listener) => new Listener(listener, parts));
  }

  #routerParts(isTrusted: (address: string) => boolean): RouterParts {
    const { server } = this.#config;
    const isDraining = (): boolean => this.#isDraining;
    const refuseParts = { pages: this.#pages, clock: this.#clock, bodyMs: server.timeouts.body * 1000, isDraining };
    const forwarder = new Forwarder({
      clock: this.#clock,
      limits: limitsOf(this.#config),
      pools: this.#pools,
      places: this.#places,
      slowUploads: new SlowUploads(server.maxSockets),
      use: this.#use,
      isDraining,
    });
    return {
      store: this.#store,
      select: pickRandom,
      random: Math.random,
      headerPolicy: {
        style: server.forwarded,
        isTrusted,
        serverName: hostname(),
        makeRequestId: server.requestId === 'off' ? null : randomUUID,
        tellsRequestId: server.requestId === 'both',
        trace: this.#tracing?.policy ?? null,
      },
      budget: new RetryBudget(server.retryBudget),
      forward: (exchange, backend) => forwarder.forward(exchange, backend),
      mourn: (death, why) => {
        this.#figures?.died();
        void mourn(death, why, server.deadBackendTTL, this.#store, (notice) => logDeathNotice(this.#log, notice));
      },
      recoveries: new Recoveries(),
      welcome: (death, deadMs) => {
        logDeathNotice(this.#log, { type: 'backend-alive', death, deadSeconds: Math.round(deadMs / 100) / 10 });
      },
      pong: (exchange) => pong(exchange, this.#isReady),
      refuse: (exchange, error) => refuse(exchange, error, refuseParts),
      record: (exchange) => this.#record(exchange),
      policy: {
        retries: server.retryOnError,
        deadOn500: server.deadBackendOn500,
        maxBodyBytes: server.limits.bodyBytes,
      },
    };
  }

  #laneParts(routerParts: RouterParts): LaneParts {
    const { server } = this.#config;
    const { select, random, headerPolicy, budget } = routerParts;
    const { header, idle } = server.timeouts;
    const tracing = this.#tracing;
    return {
      store: this.#store,
      select,
      random,
      now: () => performance.now(),
      headerPolicy,
      budget,
      places: this.#places,
      otherPool: this.#pools,
      maxSockets: server.maxSockets,
      use: this.#use,
      isKeeping: server.httpKeepAlive,
      limits: {
        ...limitsOf(this.#config),
        headerMs: header * 1000,
        idleMs: idle * 1000,
        headerBytes: server.limits.headerBytes,
      },
      judge: (found, backend, outcome, begunAt) => judge(found, backend, outcome, begunAt, routerParts),
      recoveries: routerParts.recoveries,
      record: this.#recordPassed(),
      trace: tracing && ((exchange) => tracing.take(exchange)),
      isDraining: () => this.#isDraining,
      isClosing: () => this.#isClosing,
      readsAccepted: () => this.#readsAccepted,
    };
  }

  #recordPassed(): LaneParts['record'] {
    const log = this.#accessLog;
    const figures = this.#figures;
    if (log === null && figures === null) return null;
    return (passed) => {
      figures?.passed(passed);
      log?.append(this.#lines.of(passed, '1.1'));
    };
  }

  #record(exchange: Exchange): void {
    logRefusal(this.#log, exchange);
    const version = exchange.head?.version ?? exchange.request.httpVersion;
    const record = accessRecord(exchange);
    this.#figures?.ended(exchange, record);
    this.#accessLog?.append(this.#lines.of(record, version));
    this.#traceEnded(exchange);
    // Those that were promised a next request before the end began.
    if (this.#isClosing) for (const listener of this.#listeners) listener.closeIdle();
  }

  #traceEnded(exchange: Exchange): void {
    if (this.#tracing === null) return;
    const traced = tracedExchange(exchange, this.#tracing.policy);
    if (traced !== null) this.#tracing.take(traced);
  }
}

function limitsOf({ server }: Config): Limits {
  const { timeouts, limits } = server;
  return {
    bodyMs: timeouts.body * 1000,
    connectMs: timeouts.connect * 1000,
    firstByteMs: timeouts.firstByte * 1000,
    responseMs: timeouts.response * 1000,
    tunnelMs: timeouts.tunnel * 1000,
    bodyBytes: limits.bodyBytes,
    bodyMinRate: limits.bodyMinRate,
  };
}

/** Null when there is none, or none that can be used: the master has told of that. */
function lastSnapshot(path: string): Snapshot | null {
  try {
    return readSnapshot(path);
  } catch {
    return null;
  }
}
