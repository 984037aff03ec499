import type { SendHandle } from 'node:child_process';
import type { Worker } from 'node:cluster';
import type { Known } from '../../admin/questions.ts';
import { describeCause } from '../../observe/log.ts';
import type { BoundSocket } from './bound-socket.ts';
import type { ToMaster, ToWorker } from '../messages.ts';
import { describeEnd, type WorkerEnd } from './worker-end.ts';
import { Heartbeats, ReplacementPause } from './worker-health.ts';

/** A worker that ends sooner than this after it was ready, ms, is unhealthy: its successor is delayed. */
const HEALTHY_MS = 5_000;
const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 10_000;

/** What a WorkerSlot needs. */
export interface WorkerSlotParts {
  readonly fork: () => Worker;
  /** How long a worker's event loop may be blocked, ms; 0 is no limit. */
  readonly limitMs: number;
  /** The reply to a worker's `hello`. */
  readonly configure: () => ToWorker;
  /** Called for every message of a worker. */
  readonly onMessage: (message: ToMaster, worker: Worker) => void;
  /** Called when a worker has sent no heartbeat for `silentMs`: see `killStuck`. */
  readonly onStuck: (worker: Worker, silentMs: number) => void;
  /** Called when a worker accepts connections. `listening`: its URLs. */
  readonly onReady: (listening: readonly string[]) => void;
  /** Whether to start a successor for a worker that has ended. */
  readonly mayRespawn: (end: WorkerEnd) => boolean;
  /**
   * Called when a worker has ended. `worker`: null if it was never started. `respawnMs`: when its successor starts;
   * null if none does.
   */
  readonly onExit: (worker: Worker | null, how: string, respawnMs: number | null) => void;
}

/** The life of one worker. Times are `performance.now()`, ms. */
interface Life {
  readonly startedAt: number;
  /** Infinity until it accepts connections. */
  readyAt: number;
  /** Why it cannot start, as it reported; null if it reported nothing. */
  reason: string | null;
  readonly onReady: (listening: readonly string[]) => void;
}

/** Keeps one worker running: starts it, replaces it, and stops it. */
export class WorkerSlot {
  readonly #parts: WorkerSlotParts;
  /** The worker that serves. */
  #current: Worker | null = null;
  /** All workers that have not exited: the serving one, its successor, and draining ones. */
  readonly #alive = new Map<Worker, Life>();
  #isStopping = false;
  #delayMs = FIRST_DELAY_MS;
  #timer: NodeJS.Timeout | null = null;
  #isReplacing = false;
  readonly #rest = new ReplacementPause();
  readonly #heartbeats: Heartbeats<Worker> | null;
  #stopped: Promise<void> | null = null;
  #onEmpty: () => void = () => {};
  /** Workers that accept connections. */
  readonly #accepting = new Set<Worker>();
  /** Workers that were told to drain. */
  readonly #draining = new WeakSet<Worker>();
  #onClosed: () => void = () => {};

  constructor(parts: WorkerSlotParts) {
    this.#parts = parts;
    const { limitMs, onStuck } = parts;
    this.#heartbeats = limitMs > 0 ? new Heartbeats(limitMs, onStuck, () => performance.now()) : null;
  }

  /** Starts the first worker; reports by `onReady` or `mayRespawn`. Does nothing after `stop`. */
  start(): void {
    if (!this.#isStopping) this.#current = this.#spawn().worker;
  }

  /**
   * Whether its worker was replaced for its memory shortly before. @param now the current time, ms; only differences
   * matter
   */
  isResting(now: number): boolean {
    return this.#rest.isResting(now);
  }

  /**
   * A worker of this slot uses too much memory.
   * @returns 0: replace it now; otherwise for how long it is kept, ms; null: do and log nothing
   */
  askForReplacement(worker: Worker, now: number): number | null {
    if (worker !== this.#current || this.#isReplacing || this.#isStopping) return null;
    return this.#rest.ask(now);
  }

  /**
   * Starts a successor for the serving worker, and drains the old one when the successor is ready.
   * @throws Error why the successor could not start, for the operator; the old worker goes on
   */
  async replace(old: Worker): Promise<void> {
    await this.#succeed(old, () => this.#drain(old, false));
  }

  /** Kills a worker that hangs. If it serves, a successor is started first. @throws Error why there is no successor */
  async killStuck(stuck: Worker): Promise<void> {
    try {
      if (this.#accepting.has(stuck)) await this.#succeed(stuck, () => {});
    } finally {
      stuck.process.kill('SIGKILL');
    }
  }

  async #succeed(old: Worker, dismiss: () => void): Promise<void> {
    if (old !== this.#current || this.#isReplacing || this.#isStopping) return;
    this.#isReplacing = true;
    try {
      const { worker, ready } = this.#spawn();
      await ready;
      this.#current = worker;
      dismiss();
    } catch (error) {
      if (!this.#isStopping) throw error;
    } finally {
      this.#isReplacing = false;
      // The old worker died meanwhile, and was not respawned because of the successor, which has failed.
      if (this.#current === null) this.#respawnIn(this.#delayMs);
    }
  }

  /** Sends a message to every worker that has not exited. */
  tell(message: ToWorker): void {
    for (const worker of this.#alive.keys()) send(worker, message);
  }

  /** The workers that have not exited. */
  census(): { readonly worker: Worker; readonly state: Known['state']; readonly upSeconds: number }[] {
    const now = performance.now();
    return Array.from(this.#alive, ([worker, { startedAt }]) => {
      const others = this.#accepting.has(worker) ? 'serving' : 'starting';
      const state = this.#draining.has(worker) ? 'draining' : others;
      return { worker, state, upSeconds: (now - startedAt) / 1000 };
    });
  }

  /**
   * Drains the workers, and starts no others. Resolves when all have exited. Idempotent.
   * @param isEnd whether the program ends: see `ToWorker`
   */
  stop(isEnd: boolean): Promise<void> {
    this.#stopped ??= new Promise((resolve) => {
      this.#endRespawning();
      this.#onEmpty = () => {
        this.#heartbeats?.close();
        resolve();
      };
      if (this.#alive.size === 0) this.#onEmpty();
    });
    for (const worker of this.#alive.keys()) this.#drain(worker, isEnd);
    return this.#stopped;
  }

  /** Resolves when no worker accepts connections any more; never before `stop` was called. */
  closed(): Promise<void> {
    return new Promise((resolve) => {
      this.#onClosed = resolve;
      if (this.#isStopping && this.#accepting.size === 0) resolve();
    });
  }

  /** Kills the workers at once. */
  kill(): void {
    this.#endRespawning();
    this.#heartbeats?.close();
    for (const worker of this.#alive.keys()) worker.process.kill('SIGKILL');
  }

  #drain(worker: Worker, isEnd: boolean): void {
    this.#draining.add(worker);
    send(worker, { type: 'drain', isEnd });
  }

  #endRespawning(): void {
    this.#isStopping = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  #spawn(): { worker: Worker | null; ready: Promise<readonly string[]> } {
    let worker: Worker;
    try {
      worker = this.#parts.fork();
    } catch (error) {
      return this.#goWithout({ type: 'unstarted', cause: describeCause(error) });
    }
    return { worker, ready: this.#watch(worker) };
  }

  /**
   * No process could be started. Behaves as after a worker's exit, but asynchronously, so that the caller has the
   * result first.
   */
  #goWithout(end: WorkerEnd): { worker: null; ready: Promise<never> } {
    queueMicrotask(() => this.#onExit(null, end, 0));
    const ready = Promise.reject(new Error(describeEnd(end)));
    ready.catch(() => {});
    return { worker: null, ready };
  }

  #watch(worker: Worker): Promise<readonly string[]> {
    const ready = new Promise<readonly string[]>((resolve, reject) => {
      const life: Life = { startedAt: performance.now(), readyAt: Infinity, reason: null, onReady: resolve };
      this.#alive.set(worker, life);
      worker.on('message', (message: ToMaster) => {
        // A message to a worker before its hello would be lost.
        this.#heartbeats?.beat(worker);
        this.#parts.onMessage(message, worker);
      });
      const end = (how: WorkerEnd): void => {
        if (!this.#alive.has(worker)) return;
        reject(new Error(describeEnd(how)));
        this.#onExit(worker, how, Math.max(0, performance.now() - life.readyAt));
      };
      // A broken channel is followed by an exit; a process that could not be started has neither.
      worker.on('error', (error) => {
        if (worker.process.pid === undefined) end({ type: 'unstarted', cause: describeCause(error) });
      });
      worker.once('exit', (code: number | null, signal: string | null) => {
        if (life.reason !== null) end({ type: 'failed', reason: life.reason });
        else end(signal ? { type: 'killed', signal } : { type: 'exited', code });
      });
    });
    // Callers that do not await it get the failure by onExit.
    ready.catch(() => {});
    return ready;
  }

  /** The worker may have missed a `drain` that was sent before it listened: it is drained instead of configured. */
  hasSaidHello(worker: Worker): void {
    send(worker, this.#isStopping ? { type: 'drain', isEnd: true } : this.#parts.configure());
  }

  isReady(worker: Worker, listening: readonly string[]): void {
    const life = this.#alive.get(worker);
    if (life === undefined) return;
    life.readyAt = performance.now();
    this.#accepting.add(worker);
    life.onReady(listening);
    this.#parts.onReady(listening);
  }

  hasFailed(worker: Worker, reason: string): void {
    const life = this.#alive.get(worker);
    if (life !== undefined) life.reason = reason;
  }

  hasClosed(worker: Worker): void {
    this.#accepting.delete(worker);
    if (this.#isStopping && this.#accepting.size === 0) this.#onClosed();
  }

  /** @param servedMs how long it was ready */
  #onExit(worker: Worker | null, end: WorkerEnd, servedMs: number): void {
    if (worker) {
      this.#alive.delete(worker);
      this.#heartbeats?.forget(worker);
      this.hasClosed(worker);
    }
    const mustRespawn = worker === this.#current && !this.#isStopping && this.#parts.mayRespawn(end);
    const isHealthy = servedMs >= HEALTHY_MS;
    if (isHealthy) this.#delayMs = FIRST_DELAY_MS;
    // A worker that ran long enough is replaced without a delay, and so is one whose successor is already being
    // started.
    const delayMs = isHealthy || this.#isReplacing ? 0 : this.#delayMs;
    this.#parts.onExit(worker, describeEnd(end), mustRespawn ? delayMs : null);
    if (this.#alive.size === 0) this.#onEmpty();
    if (!mustRespawn) return;
    this.#current = null;
    if (!isHealthy) this.#delayMs = Math.min(LAST_DELAY_MS, this.#delayMs * 2);
    if (!this.#isReplacing) this.#respawnIn(delayMs);
  }

  #respawnIn(delayMs: number): void {
    if (this.#isStopping) return;
    this.#timer = setTimeout(() => {
      this.#current = this.#spawn().worker;
    }, delayMs);
  }
}

/** Sends a message to a worker, if it is connected. */
export function send(worker: Worker, message: ToWorker, socket?: BoundSocket): void {
  // A worker that is exiting has no channel. Its exit is handled elsewhere.
  if (!worker.isConnected()) return;
  if (socket) worker.send(message, socket.handle as SendHandle, () => {});
  else worker.send(message, () => {});
}
