import type { SendHandle } from 'node:child_process';
import type { Worker } from 'node:cluster';
import type { Known } from '../../admin/questions.ts';
import { describeCause } from '../../observe/log.ts';
import type { BoundSocket } from './bound-socket.ts';
import type { ToMaster, ToWorker } from '../messages.ts';
import { describeEnd, type WorkerEnd } from './worker-end.ts';
import { Heartbeats, ReplacementPause } from './worker-health.ts';

/** A worker that ends sooner than this after it was ready, ms, is not healthy: its successor has to wait. */
const HEALTHY_MS = 5_000;
const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 10_000;

export interface WorkerSlotParts {
  readonly fork: () => Worker;
  /** How long a worker's event loop may be blocked, ms; 0 for any time. */
  readonly limitMs: number;
  /** The answer to a worker's `hello`. */
  readonly configure: () => ToWorker;
  /** All that a worker sends. */
  readonly onMessage: (message: ToMaster, worker: Worker) => void;
  /** It has not said for `silentMs` that it lives: see `relieve`. */
  readonly onStuck: (worker: Worker, silentMs: number) => void;
  /** One of its workers accepts connections. `listening`: where, as URLs. */
  readonly onReady: (listening: readonly string[]) => void;
  /** Whether another takes the place of the worker that served, or was to serve. */
  readonly mayRespawn: (end: WorkerEnd) => boolean;
  /** `worker`: null for one that was never there. `respawnMs`: when another takes its place; null when none has to. */
  readonly onExit: (worker: Worker | null, how: string, respawnMs: number | null) => void;
}

/** One worker's life. Times are `performance.now()`, ms. */
interface Life {
  readonly startedAt: number;
  /** Infinity before it accepts connections. */
  readyAt: number;
  /** Why it says that it cannot start. */
  reason: string | null;
  readonly onReady: (listening: readonly string[]) => void;
}

/** Keeps one worker running: starts it, replaces it when it dies or is past its best, ends it. */
export class WorkerSlot {
  readonly #parts: WorkerSlotParts;
  /** The one that serves. */
  #current: Worker | null = null;
  /** All that have not exited: the one that serves, its successor, those that drain. */
  readonly #alive = new Map<Worker, Life>();
  #isStopping = false;
  #delayMs = FIRST_DELAY_MS;
  #timer: NodeJS.Timeout | null = null;
  #isReplacing = false;
  readonly #rest = new ReplacementPause();
  readonly #heartbeats: Heartbeats<Worker> | null;
  #stopped: Promise<void> | null = null;
  #onEmpty: () => void = () => {};
  /** Those that accept connections. */
  readonly #accepting = new Set<Worker>();
  /** Those that have been told to finish. */
  readonly #draining = new WeakSet<Worker>();
  #onClosed: () => void = () => {};

  constructor(parts: WorkerSlotParts) {
    this.#parts = parts;
    const { limitMs, onStuck } = parts;
    this.#heartbeats = limitMs > 0 ? new Heartbeats(limitMs, onStuck, () => performance.now()) : null;
  }

  /** Starts the first worker; the result is reported by `onReady` or `mayRespawn`. A slot that was stopped starts none. */
  start(): void {
    if (!this.#isStopping) this.#current = this.#spawn().worker;
  }

  /** Whether its worker was replaced for its size only just now. @param now a clock's ms; only differences count */
  isResting(now: number): boolean {
    return this.#rest.isResting(now);
  }

  /**
   * A worker of this slot is too fat.
   * @returns 0 when it is to be replaced now; for how long it is not, ms; null when there is nothing to do or say
   */
  askForRelief(worker: Worker, now: number): number | null {
    if (worker !== this.#current || this.#isReplacing || this.#isStopping) return null;
    return this.#rest.ask(now);
  }

  /**
   * Starts a successor for the worker that serves, and drains that one once it is ready.
   * @throws Error with a sentence why the successor could not start; the old one goes on
   */
  async replace(old: Worker): Promise<void> {
    await this.#succeed(old, () => this.#drain(old, false));
  }

  /**
   * Ends a worker that hangs; the one that serves when it has a successor.
   * @throws Error with a sentence why there is none for now
   */
  async relieve(stuck: Worker): Promise<void> {
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
      // The old one died meanwhile, and its place was left to the successor.
      if (this.#current === null) this.#respawnIn(this.#delayMs);
    }
  }

  /** Says something to every worker that has not exited. */
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
   * Lets the workers finish, and starts no others. Resolves when all have exited. Idempotent.
   * @param isEnd the program ends: see `ToWorker`
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

  /** Resolves when none of the workers accepts connections any more; never before `stop`. */
  closed(): Promise<void> {
    return new Promise((resolve) => {
      this.#onClosed = resolve;
      if (this.#isStopping && this.#accepting.size === 0) resolve();
    });
  }

  /** Ends the workers at once. */
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

  /** Not even a process came of it: all that follows is as after a worker's exit, once the caller knows of none. */
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
        // What is sent to a worker before its hello is lost.
        this.#heartbeats?.beat(worker);
        this.#parts.onMessage(message, worker);
      });
      const end = (how: WorkerEnd): void => {
        if (!this.#alive.has(worker)) return;
        reject(new Error(describeEnd(how)));
        this.#onExit(worker, how, Math.max(0, performance.now() - life.readyAt));
      };
      // A channel that breaks is followed by an exit; a process that could not be started has none.
      worker.on('error', (error) => {
        if (worker.process.pid === undefined) end({ type: 'unstarted', cause: describeCause(error) });
      });
      worker.once('exit', (code: number | null, signal: string | null) => {
        if (life.reason !== null) end({ type: 'failed', reason: life.reason });
        else end(signal ? { type: 'killed', signal } : { type: 'exited', code });
      });
    });
    // Callers that do not wait for it are notified by onExit.
    ready.catch(() => {});
    return ready;
  }

  /** A stop may have been sent before the worker listened for messages: then it is drained instead. */
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

  /** @param servedMs how long it had been ready */
  #onExit(worker: Worker | null, end: WorkerEnd, servedMs: number): void {
    if (worker) {
      this.#alive.delete(worker);
      this.#heartbeats?.forget(worker);
      this.hasClosed(worker);
    }
    const mustRespawn = worker === this.#current && !this.#isStopping && this.#parts.mayRespawn(end);
    const isHealthy = servedMs >= HEALTHY_MS;
    if (isHealthy) this.#delayMs = FIRST_DELAY_MS;
    // One that lived long enough has done nothing to deserve a delay; and a successor may be on its way.
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

/** Says something to a worker, if it still listens. */
export function send(worker: Worker, message: ToWorker, socket?: BoundSocket): void {
  // A worker that is exiting has no channel; its exit is dealt with.
  if (!worker.isConnected()) return;
  if (socket) worker.send(message, socket.handle as SendHandle, () => {});
  else worker.send(message, () => {});
}
