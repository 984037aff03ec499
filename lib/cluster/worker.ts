/** What a worker is made of, what it hears of the master, and how it starts and ends. */
import type { Question } from '../admin/questions.ts';
import type { Config } from '../config/config.ts';
import type { WorkerFigures } from '../observe/figures.ts';
import { Ledger } from '../observe/ledger.ts';
import { createLog, describeCause, type Log } from '../observe/log.ts';
import { watchMemory } from '../observe/memory.ts';
import { logStoreNotice } from '../observe/notices.ts';
import type { Exchange } from '../proxy/exchange.ts';
import { trust } from '../proxy/trust.ts';
import { Certificates } from '../server/certificates.ts';
import { Room } from '../server/room.ts';
import { StoreCounts } from '../store/store-counts.ts';
import { answer } from './answers.ts';
import { Lanes } from './lanes.ts';
import { LastRequests } from './last-requests.ts';
import { Listeners } from './listeners.ts';
import type { Configure, ToMaster, ToWorker } from './messages.ts';
import { roomForClients } from './open-files.ts';
import { dropPrivileges } from './privileges.ts';
import { WorkerStore } from './worker-store.ts';

/** A worker says that it lives so many times within `server.workerTimeout`. */
const BEATS = 4;

/** Everything a worker process does, from its configuration to its end. */
export class Worker {
  readonly #config: Config;
  readonly #say: (message: ToMaster) => void;
  readonly #log: Log;
  readonly #ledger: Ledger;
  readonly #store: WorkerStore;
  readonly #lanes: Lanes;
  readonly #room: Room;
  readonly #listeners: Listeners;
  readonly #lastRequests: LastRequests;
  readonly #heart: NodeJS.Timeout | null;
  #isReady = true;
  #drained: Promise<void> | null = null;
  #stopWatching: () => void = () => {};

  /** @throws Error with a sentence for the operator */
  constructor(configure: Configure, say: (message: ToMaster) => void) {
    const { config } = configure;
    const { server, admin } = config;
    this.#config = config;
    this.#say = say;
    this.#log = createLog(server, admin && ((line) => say({ type: 'event', line })));
    this.#ledger = new Ledger(config, this.#log);
    this.#store = new WorkerStore(configure, {
      say,
      notify: (notice) => logStoreNotice(this.#log, notice),
      counts: this.#ledger.figures?.store ?? new StoreCounts(),
    });
    const beat = (): void => say({ type: 'alive' });
    const { workerTimeout, limits, timeouts } = server;
    this.#heart = workerTimeout > 0 ? setInterval(beat, (workerTimeout * 1000) / BEATS).unref() : null;
    this.#room = new Room(Math.min(limits.connections || Infinity, roomForClients()));
    this.#lastRequests = new LastRequests((timeouts.idle || Infinity) * 1000);
    const isTrusted = trust(server.trustedProxies);
    this.#lanes = new Lanes(config, {
      store: this.#store.routes,
      log: this.#log,
      ledger: this.#ledger,
      isTrusted,
      securePort: () => this.#listeners.securePort,
      isReady: () => this.#isReady,
      isDraining: () => this.#drained !== null,
      isClosing: () => this.#lastRequests.isOver,
      onEnded: (exchange) => this.#onEnded(exchange),
    });
    this.#listeners = new Listeners(config, {
      say,
      log: this.#log,
      timeouts,
      headerBytes: limits.headerBytes,
      room: this.#room,
      isTrusted,
      certificates: new Certificates({
        store: this.#store.certificates,
        onFault: (key, fault) => logStoreNotice(this.#log, { type: 'certificate-fault', key, fault }),
        now: Date.now,
      }),
      ticketKeys: configure.ticketKeys,
      lane: this.#lanes.fast,
      serve: (exchange) => this.#lanes.serve(exchange),
      refuse: (exchange, error) => this.#lanes.refuse(exchange, error),
      errorMessage: (error) => this.#lanes.errorMessage(error),
      recordGarbage: (line, error, { peer }, bytes) => this.#ledger.garbage(line, error, peer.address, bytes),
    });
  }

  /** Begins to accept. @returns where, as URLs. @throws Error with a sentence for the operator */
  async start(): Promise<readonly string[]> {
    const { runAs, server } = this.#config;
    await this.#lanes.prepare();
    // While it may still read every file.
    await this.#ledger.tracing?.open();
    // With routes of a file, others serve until this worker has them; a Redis that is down must not keep it from listening.
    await Promise.all([this.#store.fed?.ready(), this.#store.fed?.certificates.ready()]);
    const listening = await this.#listeners.open();
    if (runAs) dropPrivileges(runAs);
    this.#ledger.start();
    await this.#store.routes.ready();
    this.#stopWatching = watchMemory(server.memory.limitMB, server.memory.interval, (megabytes) =>
      this.#say({ type: 'fat', megabytes }),
    );
    return listening;
  }

  /** @param socket what came with a message */
  hear(message: Exclude<ToWorker, { type: 'configure' | 'drain' }>, socket: object | undefined): void {
    switch (message.type) {
      case 'socket':
        this.#listeners.take(message.index, socket);
        return;
      case 'routes':
        this.#store.fed?.take(message.piece);
        return;
      case 'certificates':
        this.#store.fed?.certificates.take(message.piece);
        return;
      case 'dead':
        this.#store.fed?.bury(message.mark);
        return;
      case 'ask':
        this.#tell(message.id, message.question);
        return;
      case 'reopen-logs':
        this.#reopenLogs();
        return;
      case 'ticket-keys':
        this.#listeners.sealWith(message.keys);
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
   * Stops accepting, finishes what is under way within the limits, frees everything. Idempotent.
   * @param isEnd the program ends; otherwise there are others, and time for clients to send next requests and be told
   */
  drain(isEnd: boolean): Promise<void> {
    if (isEnd) this.#lastRequests.hurry();
    this.#drained ??= this.#finish();
    return this.#drained;
  }

  /** The last words of a worker that made a mistake. */
  die(error: unknown): void {
    this.#log.fatal({ event: 'worker-mistake', err: error }, 'a mistake of the program itself: this worker ends');
  }

  /** Writes what is left for the logs, at once: the process ends. */
  flush(): void {
    this.#ledger.flushSync();
    this.#log.end();
  }

  async #finish(): Promise<void> {
    this.#stopWatching();
    this.#say({ type: 'closing' });
    await this.#listeners.stop();
    this.#say({ type: 'closed' });
    const { requests, tunnels } = this.#config.server.drain;
    const startedAt = performance.now();
    // A request that comes at the end of the first half has the second.
    await this.#lastRequests.ended((requests * 1000) / 2, this.#room.emptied());
    this.#lanes.fast?.closeIdleClients();
    this.#listeners.closeIdle();
    const waitedMs = performance.now() - startedAt;
    await this.#lanes.traffic.drained({
      requestsMs: Math.max(0, requests * 1000 - waitedMs),
      tunnelsMs: Math.max(0, tunnels * 1000 - waitedMs),
    });
    this.#listeners.closeIdle();
    await this.#listeners.flushed();
    this.#lanes.close();
    await this.#store.routes.close();
    await this.#ledger.close();
    if (this.#config.admin) this.#tell(0, { type: 'figures' });
    if (this.#heart) clearInterval(this.#heart);
  }

  #onEnded(exchange: Exchange): void {
    this.#ledger.ended(exchange);
    // Those that were promised a next request before the end began.
    if (this.#lastRequests.isOver) this.#listeners.closeIdle();
  }

  #tell(id: number, question: Question): void {
    this.#say({ type: 'told', id, answer: answer(question, this.#store.routes, () => this.#takeFigures()) });
  }

  #takeFigures(): WorkerFigures | null {
    const { traffic } = this.#lanes;
    return this.#ledger.take({
      connections: this.#room.inside,
      exchanges: traffic.size,
      tunnels: traffic.tunnels,
      isStoreUp: this.#store.isUp,
    });
  }

  #reopenLogs(): void {
    try {
      this.#ledger.reopen();
    } catch (error) {
      if (this.#config.runAs) {
        // In a folder that only root may enter, a worker that still is root can: the successor opens it at its start.
        this.#say({ type: 'leaving' });
        return;
      }
      this.#log.error({ event: 'log-failed', cause: describeCause(error) }, 'the access log cannot be opened anew');
    }
  }
}
