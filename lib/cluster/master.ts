import cluster, { type Worker } from 'node:cluster';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.ts';
import type { ConfigSource } from '../config/load.ts';
import { version } from '../core/version.ts';
import { createLog, describeCause, type Log } from '../observe/log.ts';
import { logStoreNotice } from '../observe/notices.ts';
import { SnapshotFile } from '../store/snapshot-file.ts';
import type { StoreNotice } from '../store/store.ts';
import { prepareAccessLog } from './access-file.ts';
import { Generation } from './generation.ts';
import type { ToMaster, ToWorker } from './messages.ts';
import { onSignals } from './signals.ts';
import type { Slot } from './slot.ts';

/** Added to the workers' own limits before they are ended by force, ms. */
const GRACE_MS = 5_000;
/** How long a reload waits for the old workers to accept no more, ms. */
const CLOSE_MS = 2_000;

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
  /** Generations that have not ended: the current one, one that starts, those that drain. */
  readonly #alive = new Set<Generation>();
  #isStopping = false;
  #beginning: Promise<void> = Promise.resolve();
  #reloading: Promise<void> | null = null;
  #mustReload = false;
  #finish: (code: number) => void = () => {};

  constructor(source: ConfigSource) {
    this.#source = source;
    this.#config = source.load();
    this.#log = createLog(this.#config.server.debug);
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
      reload: () => void this.#reload(),
      reopenLogs: () => this.#reopenLogs(),
    });
    try {
      this.#beginning = this.#begin(this.#config);
      return await finished;
    } finally {
      stopListening();
    }
  }

  /** Starts the first generation, or ends with the reason. */
  async #begin(config: Config): Promise<void> {
    const generation = this.#createGeneration(config, false);
    this.#current = generation;
    try {
      prepareAccessLog(config.server.accessLog, config.runAs);
      await this.#openSnapshot(config);
      const listening = await generation.start(this.#notify);
      if (this.#isStopping) return;
      const { workers } = config.server;
      const where = listening.join(', ');
      this.#log.info(
        { event: 'ready', version, workers, listening },
        `hipache ${version} is ready on ${where} (${workers} ${workers === 1 ? 'worker' : 'workers'})`,
      );
      if (workers > 4 * availableParallelism())
        this.#log.warn({ event: 'many-workers', workers }, 'far more workers than CPUs');
    } catch (error) {
      if (this.#isStopping) return;
      this.#isStopping = true;
      generation.kill();
      this.#log.fatal({ event: 'start-failed' }, `hipache cannot start: ${describeCause(error)}`);
      this.#finish(1);
    }
  }

  #createGeneration(config: Config, isReload: boolean): Generation {
    const generation = new Generation(config, isReload, (ours, slot) => ({
      fork: () => cluster.fork(),
      onMessage: (message, worker) => this.#onMessage(message, worker, slot(), config),
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
      case 'learned':
        this.#snapshot?.learn(message.lesson);
        return;
      case 'hello':
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

  async #replace(worker: Worker, slot: Slot): Promise<void> {
    try {
      await slot.replace(worker);
    } catch (error) {
      const { pid } = worker.process;
      const cause = describeCause(error);
      this.#log.error(
        { event: 'successor-failed', worker: pid, cause },
        `worker ${pid} goes on, its successor could not start: ${cause}`,
      );
    }
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

  /** Reads the configuration anew, and changes over to workers that run it; a configuration with faults changes nothing. */
  async #reload(): Promise<void> {
    if (this.#isStopping) return;
    this.#mustReload = true;
    // However many signals come during a reload, they make for one more.
    if (this.#reloading) return;
    this.#reloading = (async () => {
      await this.#beginning;
      while (this.#mustReload && !this.#isStopping) {
        this.#mustReload = false;
        await this.#changeOver();
      }
    })();
    await this.#reloading;
    this.#reloading = null;
  }

  async #changeOver(): Promise<void> {
    const old = this.#current;
    let next: Generation | null = null;
    try {
      const config = this.#source.load();
      prepareAccessLog(config.server.accessLog, config.runAs);
      next = this.#createGeneration(config, true);
      // What the old workers know is there for the new ones.
      await this.#snapshot?.save();
      await next.start(this.#notify);
      if (this.#isStopping) return;
      await this.#openSnapshot(config);
      this.#config = config;
      this.#current = next;
      this.#log.level = config.server.debug ? 'debug' : 'info';
      if (old) await this.#retire(old);
      this.#log.info({ event: 'reloaded', workers: config.server.workers }, 'the configuration was read anew');
    } catch (error) {
      if (this.#isStopping) return;
      if (next) {
        this.#alive.delete(next);
        next.kill();
      }
      this.#log.error({ event: 'reload-refused' }, `the configuration was not changed: ${describeCause(error)}`);
    }
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

  /** Resolves when all new connections are the successors', or nearly: a worker that hangs keeps nobody waiting. */
  async #retire(generation: Generation): Promise<void> {
    void generation.stop().then(() => this.#alive.delete(generation));
    await Promise.race([generation.closed(), delay(CLOSE_MS, undefined, { ref: false })]);
  }

  #reopenLogs(): void {
    try {
      prepareAccessLog(this.#config.server.accessLog, this.#config.runAs);
    } catch (error) {
      this.#log.error({ event: 'log-failed' }, describeCause(error));
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
      return;
    }
    this.#isStopping = true;
    this.#log.info({ event: 'stopping' }, 'hipache stops: it finishes what is under way');
    const { requests, tunnels } = this.#config.server.drain;
    const force = setTimeout(() => this.#stop(), Math.max(requests, tunnels) * 1000 + GRACE_MS);
    void Promise.all([...this.#alive].map((generation) => generation.stop())).then(async () => {
      clearTimeout(force);
      await this.#snapshot?.close();
      this.#log.info({ event: 'stopped' }, 'hipache has stopped');
      this.#finish(0);
    });
  }
}
