import cluster, { type Worker } from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import type { Known, Question } from '../admin/questions.ts';
import type { Config } from '../config/config.ts';
import type { Log } from '../observe/log.ts';
import type { BoundSocket } from './bound-socket.ts';
import { Generation } from './generation.ts';
import type { ToMaster, ToWorker } from './messages.ts';
import { logExit, relieveFat, relieveStuck, replace } from './relief.ts';
import { send, type Slot } from './slot.ts';

/** How long a generation that retires may take until it accepts no more, ms; then nobody waits for that. */
const CLOSE_MS = 2_000;
/** So many generations may drain at a time, because of WebSockets that live on; the oldest one's are cut then. */
const MAX_DRAINING = 12;

/** What workers say to the master itself. */
export type Report = Extract<ToMaster, { type: 'event' | 'told' | 'learned' }>;

/** All workers there are: the generation that serves, one that starts, those that drain. */
export class Generations {
  readonly #log: Log;
  readonly #ticketKeys: () => Uint8Array;
  readonly #onReport: (report: Report, worker: Worker) => void;
  /** Those that have not ended. */
  readonly #alive = new Set<Generation>();
  #count = 0;
  /** The one that serves; null before the first start. */
  current: Generation | null = null;

  /** @param ticketKeys what session tickets are sealed with, now */
  constructor(log: Log, ticketKeys: () => Uint8Array, onReport: (report: Report, worker: Worker) => void) {
    this.#log = log;
    this.#ticketKeys = ticketKeys;
    this.#onReport = onReport;
  }

  /** Makes a next one, which is started by whoever asked for it. @param sockets one for each listener */
  create(config: Config, sockets: readonly (BoundSocket | null)[]): Generation {
    const generation = new Generation(config, ++this.#count, this.#ticketKeys, sockets, (ours, slot) => ({
      fork: () => cluster.fork(),
      onMessage: (message, worker) => this.#hear(message, worker, slot(), config),
      onStuck: (worker, silentMs) => void relieveStuck(worker, slot(), silentMs, this.#log),
      onExit: (worker, how, respawnMs) => {
        // Node forgets those that exit, but not each that could not be started.
        if (worker && cluster.workers) delete cluster.workers[worker.id];
        logExit(worker?.process.pid, how, respawnMs, ours.isReady, this.#log);
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

  #hear(message: ToMaster, worker: Worker, slot: Slot, { server }: Config): void {
    switch (message.type) {
      case 'dead':
        for (const other of Object.values(cluster.workers ?? {})) {
          if (other && other !== worker && other.isConnected()) other.send(message satisfies ToWorker);
        }
        return;
      case 'fat': {
        const { limitMB } = server.memory;
        void relieveFat(worker, slot, { megabytes: message.megabytes, limitMB }, this.#log);
        return;
      }
      case 'leaving':
        void replace(worker, slot, this.#log);
        return;
      case 'event':
      case 'told':
      case 'learned':
        this.#onReport(message, worker);
        return;
      case 'hello':
      case 'alive':
      case 'want-socket':
      case 'want-routes':
      case 'want-certificates':
      case 'accepts':
      case 'open':
      case 'closing':
      case 'closed':
      case 'ready':
      case 'failed':
        return;
    }
  }
}
