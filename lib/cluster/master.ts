import cluster, { type Worker } from 'node:cluster';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FromAdmin } from '../admin/messages.ts';
import type { Config } from '../config/config.ts';
import type { ConfigSource } from '../config/load.ts';
import { version } from '../core/version.ts';
import { createLog, describeCause, type Log } from '../observe/log.ts';
import { logStoreNotice } from '../observe/notices.ts';
import { SnapshotFile } from '../store/snapshot-file.ts';
import type { StoreNotice } from '../store/store.ts';
import { prepareAccessLog } from './access-file.ts';
import { AdminProcess } from './admin-process.ts';
import { Generation } from './generation.ts';
import { takeInherited } from './inherited.ts';
import type { ToMaster, ToWorker } from './messages.ts';
import { openFileLimit, roomForClients } from './open-files.ts';
import { removePidFile, writePidFile } from './pid-file.ts';
import { ServiceManager } from './service-manager.ts';
import { onSignals } from './signals.ts';
import { send, type Slot } from './slot.ts';
import { Sockets } from './sockets.ts';
import { Successor, tellPredecessor } from './successor.ts';

/** Added to the workers' own limits before they are ended by force, ms. */
const GRACE_MS = 5_000;
/** How long a reload waits for the old workers to accept no more, ms. */
const CLOSE_MS = 2_000;
/** How long another program may take until it serves in our place, ms. */
const UPGRADE_MS = 60_000;
/** So many generations may drain at a time, because of WebSockets that live on; the oldest one's are cut then. */
const MAX_DRAINING = 12;
/** With fewer open files a worker takes so few connections that the operator should know. */
const FEW_FILES = 4_096;

const WORKER_FLAGS = [
  // http-proxy calls util._extend, which newer Nodes announce as deprecated in every worker.
  '--disable-warning=DEP0060',
  // MiB. Newer Nodes let the young generation grow to several times of what they did when server.memory.limitMB got
  // its default; a worker that is busy, not leaking, would pass it.
  '--max-semi-space-size=16',
];

/**
 * Runs the router until it is told to stop.
 * @returns the exit code: 0 after a stop that was asked for, 1 when the first workers could not start
 * @throws ConfigError when the configuration cannot be used
 */
export async function runMaster(source: ConfigSource): Promise<number> {
  return await new Master(source).run();
}

class Master {
  readonly #source: ConfigSource;
  readonly #log: Log;
  #config: Config;
  #current: Generation | null = null;
  #snapshot: SnapshotFile | null = null;
  readonly #sockets = new Sockets();
  readonly #manager: ServiceManager;
  readonly #admin: AdminProcess;
  #generations = 0;
  #successor: Successor | null = null;
  /** Aborted by who asks for the end a second time. */
  readonly #patience = new AbortController();
  /** Generations that have not ended: the current one, one that starts, those that drain. */
  readonly #alive = new Set<Generation>();
  #isStopping = false;
  #beginning: Promise<void> = Promise.resolve();
  #changing: Promise<void> | null = null;
  #mustReload = false;
  #mustUpgrade = false;
  #finish: (code: number) => void = () => {};

  constructor(source: ConfigSource) {
    this.#source = source;
    this.#config = source.load();
    this.#log = createLog(this.#config.server, (line) => this.#admin.event(line));
    this.#manager = new ServiceManager(process.env, process.pid, (cause) =>
      this.#log.warn(
        { event: 'notify-failed', cause: describeCause(cause) },
        'systemd cannot be told how the router is',
      ),
    );
    this.#admin = new AdminProcess({
      onAsk: (message) => this.#onAsk(message),
      onDeath: (pid, how, respawnMs) =>
        this.#log.error(
          { event: 'admin-died', admin: pid, how, respawnMs },
          `the admin interface ended (${how}); it starts again in ${respawnMs} ms`,
        ),
    });
  }

  async run(): Promise<number> {
    const finished = new Promise<number>((resolve) => {
      this.#finish = resolve;
    });
    // Workers accept by themselves: a connection that is handed to them costs more than all else about it.
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    cluster.setupPrimary({
      exec: fileURLToPath(new URL('worker-main.js', import.meta.url)),
      args: [],
      execArgv: [...process.execArgv, ...WORKER_FLAGS],
      serialization: 'advanced',
    });
    const stopListening = onSignals({
      stop: () => this.#stop(),
      reload: () => this.#reload(),
      upgrade: () => this.#upgrade(),
      reopenLogs: () => this.#reopenLogs(),
    });
    try {
      this.#beginning = this.#begin(this.#config);
      return await finished;
    } finally {
      stopListening();
      if (this.#config.server.pidFile !== null) removePidFile(this.#config.server.pidFile);
      await this.#manager.close();
      this.#log.end();
    }
  }

  /** Starts the first generation, or ends with the reason. */
  async #begin(config: Config): Promise<void> {
    let generation: Generation | null = null;
    try {
      const { pidFile } = config.server;
      prepareAccessLog(config.server.accessLog, config.runAs);
      this.#sockets.adopt(takeInherited(process.env, process.pid));
      generation = this.#createGeneration(config);
      this.#current = generation;
      for (const { address, port } of this.#sockets.dropSpare())
        this.#log.warn(
          { event: 'socket-unused', address, port },
          `no listener is configured for ${address} port ${port}`,
        );
      await this.#openSnapshot(config);
      const listening = await generation.start(this.#notify);
      if (this.#isStopping) return;
      if (pidFile !== null) writePidFile(pidFile);
      const { workers } = config.server;
      const where = listening.join(', ');
      this.#log.info(
        { event: 'ready', version, workers, listening },
        `hipache ${version} is ready on ${where} (${workers} ${workers === 1 ? 'worker' : 'workers'})`,
      );
      this.#manager.ready(`serving on ${where}`);
      await this.#admin.configure(config);
      tellPredecessor();
      this.#warn(config);
    } catch (error) {
      if (this.#isStopping) return;
      this.#isStopping = true;
      generation?.kill();
      this.#log.fatal({ event: 'start-failed' }, `hipache cannot start: ${describeCause(error)}`);
      this.#finish(1);
    }
  }

  /** What an operator should know beforehand. */
  #warn({ server: { workers } }: Config): void {
    if (workers > 4 * availableParallelism())
      this.#log.warn({ event: 'many-workers', workers }, 'far more workers than CPUs');
    const files = openFileLimit();
    if (files < FEW_FILES)
      this.#log.warn(
        { event: 'few-files', files, connections: roomForClients() },
        `each worker may open ${files} files, which is good for ${roomForClients()} connections: others wait`,
      );
  }

  /** @throws Error with a sentence, when there is an address that it cannot have */
  #createGeneration(config: Config): Generation {
    const sockets = this.#sockets.open(config.listeners);
    const generation = new Generation(config, ++this.#generations, sockets, (ours, slot) => ({
      fork: () => cluster.fork(),
      onMessage: (message, worker) => this.#onMessage(message, worker, slot(), config),
      onStuck: (worker, silentMs) => void this.#onStuck(worker, silentMs, slot()),
      onExit: (worker, how, respawnMs) => this.#onExit(worker, how, respawnMs, ours),
    }));
    this.#alive.add(generation);
    return generation;
  }

  readonly #notify = (notice: StoreNotice): void => logStoreNotice(this.#log, notice);

  #onMessage(message: ToMaster, worker: Worker, slot: Slot, config: Config): void {
    switch (message.type) {
      case 'dead':
        for (const other of Object.values(cluster.workers ?? {})) {
          if (other && other !== worker && other.isConnected()) other.send(message satisfies ToWorker);
        }
        return;
      case 'fat':
        void this.#onFat(message.megabytes, worker, slot, config.server.memory.limitMB);
        return;
      case 'leaving':
        void this.#replace(worker, slot);
        return;
      case 'event':
        this.#admin.event(message.line);
        return;
      case 'told':
        this.#admin.tell({ ...message, pid: worker.process.pid ?? 0 });
        return;
      case 'learned':
        this.#snapshot?.learn(message.lesson);
        return;
      case 'hello':
      case 'alive':
      case 'want-socket':
      case 'want-routes':
      case 'accepts':
      case 'open':
      case 'closing':
      case 'closed':
      case 'ready':
      case 'failed':
        return;
    }
  }

  /** Passes a question of the admin interface on to every worker, and says which those are. */
  #onAsk({ id, question }: Extract<FromAdmin, { type: 'ask' }>): void {
    const workers = [...this.#alive].flatMap((generation) => generation.census());
    this.#admin.tell({
      type: 'asked',
      id,
      master: {
        pid: process.pid,
        upSeconds: process.uptime(),
        residentBytes: process.memoryUsage.rss(),
        listening: this.#current?.listening ?? [],
        workers: this.#config.server.workers,
        isStopping: this.#isStopping,
      },
      workers: workers.map(({ worker, ...known }) => ({ ...known, pid: worker.process.pid ?? 0 })),
    });
    for (const { worker } of workers) send(worker, { type: 'ask', id, question });
  }

  async #onFat(megabytes: number, worker: Worker, slot: Slot, limitMB: number): Promise<void> {
    const { pid } = worker.process;
    const restMs = slot.askForRelief(worker, performance.now());
    if (restMs === null) return;
    const size = `worker ${pid} uses ${megabytes} MB`;
    if (restMs === 0) {
      this.#log.warn({ event: 'worker-fat', worker: pid, megabytes, limitMB }, `${size}: it is replaced`);
      await this.#replace(worker, slot);
      return;
    }
    const minutes = Math.ceil(restMs / 60_000);
    this.#log.warn(
      { event: 'worker-still-fat', worker: pid, megabytes, limitMB, restMs: Math.ceil(restMs) },
      `${size}, and its predecessor was only just replaced: it stays for the next ${minutes} min; ` +
        `server.memory.limitMB (${limitMB}) may be less than any worker needs`,
    );
  }

  async #onStuck(worker: Worker, silentMs: number, slot: Slot): Promise<void> {
    const { pid } = worker.process;
    this.#log.error(
      { event: 'worker-stuck', worker: pid, silentMs: Math.round(silentMs) },
      `worker ${pid} has hung for ${Math.round(silentMs / 1000)} s: it is replaced`,
    );
    try {
      await slot.relieve(worker);
    } catch (error) {
      this.#onNoSuccessor(worker, 'ends all the same', error);
    }
  }

  async #replace(worker: Worker, slot: Slot): Promise<void> {
    try {
      await slot.replace(worker);
    } catch (error) {
      this.#onNoSuccessor(worker, 'goes on', error);
    }
  }

  #onNoSuccessor({ process: { pid } }: Worker, fate: string, error: unknown): void {
    const cause = describeCause(error);
    this.#log.error(
      { event: 'successor-failed', worker: pid, cause },
      `worker ${pid} ${fate}, its successor could not start: ${cause}`,
    );
  }

  #onExit(worker: Worker, how: string, respawnMs: number | null, generation: Generation): void {
    const { pid } = worker.process;
    if (respawnMs === null) this.#log.debug({ event: 'worker-ended', worker: pid }, `worker ${pid} ended`);
    // What a first generation dies of is said once, as the reason for the program's end.
    else if (generation.isReady) {
      const when = respawnMs === 0 ? 'now' : `in ${respawnMs} ms`;
      this.#log.error(
        { event: 'worker-died', worker: pid, how, respawnMs },
        `worker ${pid} died (${how}); another starts ${when}`,
      );
    }
  }

  #reload(): void {
    this.#mustReload = true;
    void this.#change();
  }

  #upgrade(): void {
    this.#mustUpgrade = true;
    void this.#change();
  }

  /** One change at a time. However many signals come during one, they make for one more. */
  async #change(): Promise<void> {
    if (this.#isStopping || this.#changing) return;
    this.#changing = (async () => {
      await this.#beginning;
      while ((this.#mustReload || this.#mustUpgrade) && !this.#isStopping) {
        if (this.#mustUpgrade) {
          this.#mustUpgrade = false;
          await this.#startSuccessor();
        } else {
          this.#mustReload = false;
          await this.#changeOver();
        }
      }
    })();
    await this.#changing;
    this.#changing = null;
  }

  /** Starts the program anew from its files; when that serves, this one finishes. */
  async #startSuccessor(): Promise<void> {
    try {
      // The end of process 1 is that of its container.
      if (process.pid === 1) throw new Error('this is process 1, which cannot be replaced: start another container');
      // What the workers know is there for the new ones.
      await this.#snapshot?.save();
      const successor = new Successor(this.#sockets.toHandOver(this.#config.listeners), UPGRADE_MS);
      this.#successor = successor;
      await successor.ready;
      if (this.#isStopping) return;
      successor.release();
      // It has one of its own, in the same place.
      await this.#admin.close();
      this.#log.info({ event: 'upgraded', successor: successor.pid }, `process ${successor.pid} serves from now on`);
      this.#end(false);
    } catch (error) {
      if (this.#isStopping) return;
      this.#log.error(
        { event: 'upgrade-failed', cause: describeCause(error) },
        `this program goes on: ${describeCause(error)}`,
      );
    } finally {
      this.#successor = null;
    }
  }

  /** Reads the configuration anew, and changes over to workers that run it; a configuration with faults changes nothing. */
  async #changeOver(): Promise<void> {
    const old = this.#current;
    let next: Generation | null = null;
    this.#manager.reloading();
    try {
      const config = this.#source.load();
      prepareAccessLog(config.server.accessLog, config.runAs);
      next = this.#createGeneration(config);
      // What the old workers know is there for the new ones.
      await this.#snapshot?.save();
      await next.start(this.#notify);
      if (this.#isStopping) return;
      await this.#openSnapshot(config);
      this.#movePidFile(this.#config.server.pidFile, config.server.pidFile);
      this.#config = config;
      this.#current = next;
      await this.#admin.configure(config);
      this.#log.configure(config.server);
      if (old) await this.#retire(old);
      this.#log.info({ event: 'reloaded', workers: config.server.workers }, 'the configuration was read anew');
    } catch (error) {
      if (this.#isStopping) return;
      if (next) {
        this.#alive.delete(next);
        next.kill();
      }
      this.#sockets.keep(this.#config.listeners);
      const cause = describeCause(error);
      this.#log.error({ event: 'reload-refused', cause }, `the configuration was not changed: ${cause}`);
    }
    this.#manager.ready(`${this.#config.server.workers} workers`);
  }

  /** Keeps the snapshot that this configuration names, if it names one. */
  async #openSnapshot({ cache, driver }: Config): Promise<void> {
    const path = driver.read.startsWith('file:') ? null : cache.snapshot;
    const limits = { max: cache.max, maxAgeMs: cache.maxStale * 1000 };
    if (path !== null && path === this.#snapshot?.path) {
      this.#snapshot.limits = limits;
      return;
    }
    await this.#snapshot?.close();
    this.#snapshot = path === null ? null : new SnapshotFile(path, limits, this.#notify);
  }

  #movePidFile(from: string | null, to: string | null): void {
    if (from === to) return;
    if (to !== null) writePidFile(to);
    if (from !== null) removePidFile(from);
  }

  /** Resolves when all new connections are the successors', or nearly: a worker that hangs keeps nobody waiting. */
  async #retire(generation: Generation): Promise<void> {
    void generation.stop(false).then(() => this.#alive.delete(generation));
    await Promise.race([generation.closed(), delay(CLOSE_MS, undefined, { ref: false })]);
    this.#sockets.keep(this.#config.listeners);
    const draining = [...this.#alive].filter((other) => other !== this.#current);
    if (draining.length <= MAX_DRAINING) return;
    const [oldest] = draining;
    this.#log.warn({ event: 'drain-cut' }, `${draining.length} generations drain: what is open in the oldest is cut`);
    oldest?.tell({ type: 'cut' });
  }

  #reopenLogs(): void {
    try {
      prepareAccessLog(this.#config.server.accessLog, this.#config.runAs);
    } catch (error) {
      const cause = describeCause(error);
      this.#log.error({ event: 'log-failed', cause }, `the access log cannot be opened anew: ${cause}`);
      return;
    }
    this.#tell({ type: 'reopen-logs' });
  }

  #tell(message: ToWorker): void {
    for (const generation of this.#alive) generation.tell(message);
  }

  /** Lets everything finish, then ends; asked a second time, ends at once. */
  #stop(): void {
    if (this.#isStopping) {
      for (const generation of this.#alive) generation.kill();
      this.#patience.abort();
      return;
    }
    this.#log.info({ event: 'stopping' }, 'hipache stops: it finishes what is under way');
    this.#manager.stopping();
    this.#successor?.kill();
    this.#end(true);
  }

  /** @param isLast nobody takes over: load balancers are told first, and idle clients are not waited for */
  #end(isLast: boolean): void {
    this.#isStopping = true;
    void this.#finishAll(isLast).then((code) => this.#finish(code));
  }

  async #finishAll(isLast: boolean): Promise<number> {
    const { delay: delaySeconds, requests, tunnels } = this.#config.server.drain;
    if (isLast && delaySeconds > 0) {
      this.#tell({ type: 'unready' });
      await delay(delaySeconds * 1000, undefined, { signal: this.#patience.signal }).catch(() => {});
    }
    const ended = Promise.all([...this.#alive].map((generation) => generation.stop(isLast)));
    // Workers have their own; whoever connects from now on is not left waiting in a queue that nobody empties.
    this.#sockets.keep([]);
    const force = setTimeout(() => this.#stop(), Math.max(requests, tunnels) * 1000 + GRACE_MS);
    await ended;
    clearTimeout(force);
    await this.#snapshot?.close();
    await this.#admin.close();
    this.#log.info({ event: 'stopped' }, 'hipache has stopped');
    return 0;
  }
}
