import cluster from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import type { Known, Question } from '../../admin/questions.ts';
import type { Config } from '../../config/config.ts';
import type { Log } from '../../observe/log.ts';
import type { BoundSocket } from './bound-socket.ts';
import { Generation, type Shared } from './generation.ts';
import { LastGoodCertificates, sourceOf } from './last-good-certificates.ts';
import type { ToWorker } from '../messages.ts';
import { logExit, relieveStuck, WorkerReplacement } from './worker-replacement.ts';
import { send } from './worker-slot.ts';
import { FileMarks } from './file-marks.ts';
import { onWorkerMessage, type Reports } from './worker-messages.ts';

/** How long a generation that retires may take until it accepts no more, ms; then nobody waits for that. */
const CLOSE_MS = 2_000;
/** So many generations may drain at a time, because of WebSockets that live on; the oldest one's are cut then. */
const MAX_DRAINING = 12;

/** All workers there are: the generation that serves, one that starts, those that drain. */
export class Generations {
  readonly #log: Log;
  readonly #replacement: WorkerReplacement;
  readonly #shared: Omit<Shared, 'goodPairs'>;
  readonly #reports: Reports;
  /** Those that have not ended. */
  readonly #alive = new Set<Generation>();
  readonly #marks = new FileMarks((message) => this.tell(message));
  /** The certificates that workers found good last. */
  readonly goodPairs = new LastGoodCertificates((source, news, but) => {
    for (const generation of this.#alive) {
      if (sourceOf(generation.config) !== source) continue;
      for (const { worker } of generation.census()) if (worker !== but) send(worker, { type: 'pair-news', news });
    }
  });
  #count = 0;
  readonly #hasPredecessor: boolean;
  /** The one that serves; null before the first start. */
  current: Generation | null = null;

  /** @param hasPredecessor whether another program serves until the first generation does */
  constructor(log: Log, shared: Omit<Shared, 'goodPairs'>, hasPredecessor: boolean, reports: Reports) {
    this.#hasPredecessor = hasPredecessor;
    this.#log = log;
    this.#replacement = new WorkerReplacement(log, () => performance.now());
    this.#shared = shared;
    this.#reports = reports;
  }

  /** Makes a next one, which is started by whoever asked for it. @param sockets one for each listener */
  create(config: Config, sockets: readonly (BoundSocket | null)[]): Generation {
    const goodPairs: Shared['goodPairs'] = ({ driver }) => this.goodPairs.keysOf(driver.read);
    const shared = { ...this.#shared, goodPairs };
    const isAlone = this.#alive.size === 0 && !this.#hasPredecessor;
    const recipients = {
      marks: this.#marks,
      goodPairs: this.goodPairs,
      replacement: this.#replacement,
      isSettled: () => [...this.#alive].every(({ isReady }) => isReady),
      reports: this.#reports,
      log: this.#log,
    };
    const generation: Generation = new Generation(config, ++this.#count, shared, sockets, isAlone, (slot) => ({
      fork: () => cluster.fork(),
      onMessage: (message, worker) => onWorkerMessage(message, worker, { ...recipients, slot: slot(), generation }),
      onStuck: (worker, silentMs) => void relieveStuck(worker, slot(), silentMs, this.#log),
      onExit: (worker, how, respawnMs) => {
        // Node forgets those that exit, but not each that could not be started.
        if (worker && cluster.workers) delete cluster.workers[worker.id];
        logExit(worker?.process.pid, how, respawnMs, this.#log);
      },
    }));
    this.#alive.add(generation);
    return generation;
  }

  /** Says something to every worker. */
  tell(message: ToWorker): void {
    for (const generation of this.#alive) generation.tell(message);
  }

  /** Asks every worker, who answer one by one. @returns who they are */
  ask(id: number, question: Question): readonly Known[] {
    const workers = [...this.#alive].flatMap((generation) => generation.census());
    for (const { worker } of workers) send(worker, { type: 'ask', id, question });
    return workers.map(({ worker, generation, state, upSeconds }) => {
      return { pid: worker.process.pid ?? 0, generation, state, upSeconds };
    });
  }

  /**
   * Lets one finish that has a successor. Resolves when all new connections are the successor's, or nearly: a worker
   * that hangs keeps nobody waiting.
   */
  async retire(generation: Generation): Promise<void> {
    void generation.stop(false).then(() => this.#alive.delete(generation));
    await Promise.race([generation.closed(), delay(CLOSE_MS, undefined, { ref: false })]);
    const draining = [...this.#alive].filter((other) => other !== this.current);
    if (draining.length <= MAX_DRAINING) return;
    const [oldest] = draining;
    this.#log.warn({ event: 'drain-cut' }, `${draining.length} generations drain: what is open in the oldest is cut`);
    oldest?.tell({ type: 'cut' });
  }

  /** Ends one at once that could not start. */
  drop(generation: Generation): void {
    this.#alive.delete(generation);
    generation.kill();
  }

  /** Resolves when all workers have finished and exited. @param isEnd whether the program ends */
  async stop(isEnd: boolean): Promise<void> {
    await Promise.all([...this.#alive].map((generation) => generation.stop(isEnd)));
  }

  /** Ends all workers at once. */
  kill(): void {
    for (const generation of this.#alive) generation.kill();
  }
}
