import cluster, { type Worker } from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import type { Known, Question } from '../../admin/questions.ts';
import type { Config } from '../../config/config.ts';
import type { Log } from '../../observe/log.ts';
import type { BoundSocket } from './bound-socket.ts';
import { Generation, type Shared } from './generation.ts';
import { LastGoodCertificates, sourceOf } from './last-good-certificates.ts';
import type { ToWorker } from '../messages.ts';
import { logExit, replaceStuck, WorkerReplacement } from './worker-replacement.ts';
import { send } from './worker-slot.ts';
import { FileMarks } from './file-marks.ts';
import { WorkerShares } from './shares.ts';
import { onWorkerMessage, type Reports } from './worker-messages.ts';

/** How long `retire` waits until the old generation accepts no more, ms. */
const CLOSE_MS = 2_000;
/** How many generations may drain at a time. WebSockets can keep one alive for long; then the oldest one is cut. */
const MAX_DRAINING = 12;

/** All workers: those of the serving generation, of one that starts, and of those that drain. */
export class Generations {
  readonly #log: Log;
  readonly #replacement: WorkerReplacement;
  readonly #shared: Omit<Shared, 'goodPairs'>;
  readonly #reports: Reports;
  /** Generations with running workers. */
  readonly #alive = new Set<Generation>();
  readonly #marks = new FileMarks<Worker>({ tellAll: (message) => this.tell(message), tell: send, now: Date.now });
  readonly #workerShares = new WorkerShares(() => performance.now());
  /** The last good certificates, as workers found them. */
  readonly goodPairs = new LastGoodCertificates((source, news, but) => {
    for (const generation of this.#alive) {
      if (sourceOf(generation.config) !== source) continue;
      for (const { worker } of generation.census()) if (worker !== but) send(worker, { type: 'pair-news', news });
    }
  });
  #count = 0;
  readonly #hasPredecessor: boolean;
  /** The generation that serves; null before the first start. */
  current: Generation | null = null;

  /** @param hasPredecessor whether an older program serves until the first generation does */
  constructor(log: Log, shared: Omit<Shared, 'goodPairs'>, hasPredecessor: boolean, reports: Reports) {
    this.#hasPredecessor = hasPredecessor;
    this.#log = log;
    this.#replacement = new WorkerReplacement(log, () => performance.now());
    this.#shared = shared;
    this.#reports = reports;
  }

  /** Makes the next generation; the caller starts it. @param sockets one per listener */
  create(config: Config, sockets: readonly (BoundSocket | null)[]): Generation {
    const goodPairs: Shared['goodPairs'] = ({ driver }) => this.goodPairs.keysOf(driver.read);
    const shared = { ...this.#shared, goodPairs };
    const isAlone = this.#alive.size === 0 && !this.#hasPredecessor;
    const recipients = {
      marks: this.#marks,
      shares: this.#workerShares,
      goodPairs: this.goodPairs,
      replacement: this.#replacement,
      isSettled: () => [...this.#alive].every(({ isReady }) => isReady),
      reports: this.#reports,
      log: this.#log,
    };
    const generation: Generation = new Generation(config, ++this.#count, shared, sockets, isAlone, (slot) => ({
      fork: () => cluster.fork(),
      onMessage: (message, worker) => onWorkerMessage(message, worker, { ...recipients, slot: slot(), generation }),
      onStuck: (worker, silentMs) => void replaceStuck(worker, slot(), silentMs, this.#log),
      onExit: (worker, how, respawnMs) => {
        // Node removes workers that exit, but not all that could not be started.
        if (worker && cluster.workers) delete cluster.workers[worker.id];
        logExit(worker?.process.pid, how, respawnMs, this.#log);
      },
    }));
    this.#alive.add(generation);
    return generation;
  }

  /** Sends a message to every worker. */
  tell(message: ToWorker): void {
    for (const generation of this.#alive) generation.tell(message);
  }

  /** Asks every worker. Each replies by itself. @returns the workers that were asked */
  ask(id: number, question: Question): readonly Known[] {
    const workers = [...this.#alive].flatMap((generation) => generation.census());
    for (const { worker } of workers) send(worker, { type: 'ask', id, question });
    return workers.map(({ worker, generation, state, upSeconds }) => {
      return { pid: worker.process.pid ?? 0, generation, state, upSeconds };
    });
  }

  /**
   * Drains a generation that has a successor. Resolves when it accepts no more connections, or after CLOSE_MS, so that
   * a worker that hangs does not delay the change.
   */
  async retire(generation: Generation): Promise<void> {
    void generation.stop(false).then(() => this.#alive.delete(generation));
    await Promise.race([generation.closed(), delay(CLOSE_MS, undefined, { ref: false })]);
    const draining = [...this.#alive].filter((other) => other !== this.current);
    if (draining.length <= MAX_DRAINING) return;
    const [oldest] = draining;
    this.#log.warn(
      { event: 'drain-cut' },
      `${draining.length} generations drain: the oldest one's open connections are cut`,
    );
    oldest?.tell({ type: 'cut' });
  }

  /** Kills a generation that could not start. */
  drop(generation: Generation): void {
    this.#alive.delete(generation);
    generation.kill();
  }

  /** Resolves when all workers have finished and exited. @param isEnd whether the program ends */
  async stop(isEnd: boolean): Promise<void> {
    await Promise.all([...this.#alive].map((generation) => generation.stop(isEnd)));
  }

  /** Kills all workers at once. */
  kill(): void {
    for (const generation of this.#alive) generation.kill();
  }
}
