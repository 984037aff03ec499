import type { SendHandle } from 'node:child_process';
import type { Worker } from 'node:cluster';
import type { Known } from '../admin/questions.ts';
import { describeCause } from '../observe/log.ts';
import type { BoundSocket } from './bound-socket.ts';
import type { ToMaster, ToWorker } from './messages.ts';
import { Pulses } from './pulses.ts';
import { Rest } from './rest.ts';

/** A worker that dies sooner than this after its start, ms, is not healthy: its successor has to wait. */
const HEALTHY_MS = 5_000;
const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 10_000;

export interface SlotParts {
  readonly fork: () => Worker;
  /** How long a worker's event loop may be blocked, ms; 0 for any time. */
  readonly limitMs: number;
  /** The answer to a worker's `hello`. */
  readonly configure: () => ToWorker;
  /** All that a worker says beyond its start. */
  readonly onMessage: (message: ToMaster, worker: Worker) => void;
  /** It has not said for `silentMs` that it lives: see `relieve`. */
  readonly onStuck: (worker: Worker, silentMs: number) => void;
  /** `worker`: null for one that was never there. `respawnMs`: when another takes its place; null when none has to. */
  readonly onExit: (worker: Worker | null, how: string, respawnMs: number | null) => void;
}

/** Keeps one worker running: starts it, replaces it when it dies or is past its best, ends it. */
export class Slot {
  readonly #parts: SlotParts;
  /** The one that serves. */
  #current: Worker | null = null;
  /** All that have not exited: the one that serves, its successor, those that drain; and since when. */
  readonly #alive = new Map<Worker, number>();
  #isStopping = false;
  #delayMs = FIRST_DELAY_MS;
  #timer: NodeJS.Timeout | null = null;
  #isReplacing = false;
  readonly #rest = new Rest();
  readonly #pulses: Pulses<Worker> | null;
  #stopped: Promise<void> | null = null;
  #onEmpty: () => void = () => {};
  /** Those that accept connections. */
  readonly #accepting = new Set<Worker>();
  /** Those that have been told to finish. */
  readonly #draining = new WeakSet<Worker>();
  #onClosed: () => void = () => {};

  constructor(parts: SlotParts) {
    this.#parts = parts;
    const { limitMs, onStuck } = parts;
    this.#pulses = limitMs > 0 ? new Pulses(limitMs, onStuck, () => performance.now()) : null;
  }

  /** Starts the first worker. Resolves with where it listens; @throws Error with a sentence why it does not */
  async start(): Promise<readonly string[]> {
    if (this.#isStopping) throw new Error('it was stopped before it had started');
    const { worker, ready } = this.#spawn();
    this.#current = worker;
    return await ready;
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
    return Array.from(this.#alive, ([worker, startedAt]) => {
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
        this.#pulses?.close();
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
    this.#pulses?.close();
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
      return this.#goWithout(unstarted(error));
    }
    return { worker, ready: this.#watch(worker) };
  }

  /** Not even a process came of it: all that follows is as after a worker's exit, once the caller knows of none. */
  #goWithout(how: string): { worker: null; ready: Promise<never> } {
    queueMicrotask(() => this.#onExit(null, how, 0));
    const ready = Promise.reject(new Error(how));
    ready.catch(() => {});
    return { worker: null, ready };
  }

  #watch(worker: Worker): Promise<readonly string[]> {
    const startedAt = performance.now();
    this.#alive.set(worker, startedAt);
    const ready = new Promise<readonly string[]>((resolve, reject) => {
      let reason: string | null = null;
      worker.on('message', (message: ToMaster) => {
        // What is said to a worker before its hello is lost: a stop may have been.
        this.#pulses?.beat(worker);
        if (message.type === 'alive') return;
        if (message.type === 'hello')
          send(worker, this.#isStopping ? { type: 'drain', isEnd: true } : this.#parts.configure());
        else if (message.type === 'ready') {
          this.#accepting.add(worker);
          resolve(message.listening);
        } else if (message.type === 'closed') this.#hasClosed(worker);
        else if (message.type === 'failed') reason = message.message;
        else this.#parts.onMessage(message, worker);
      });
      const end = (how: string): void => {
        if (!this.#alive.has(worker)) return;
        reject(new Error(how));
        this.#onExit(worker, how, performance.now() - startedAt);
      };
      // A channel that breaks is followed by an exit; a process that could not be started has none.
      worker.on('error', (error) => {
        if (worker.process.pid === undefined) end(unstarted(error));
      });
      worker.once('exit', (code, signal) =>
        end(reason ?? (signal ? `it was killed by ${signal}` : `it exited with code ${code}`)),
      );
    });
    // Whoever does not wait for it learns of it by onExit.
    ready.catch(() => {});
    return ready;
  }

  #hasClosed(worker: Worker): void {
    this.#accepting.delete(worker);
    if (this.#isStopping && this.#accepting.size === 0) this.#onClosed();
  }

  #onExit(worker: Worker | null, how: string, ageMs: number): void {
    if (worker) {
      this.#alive.delete(worker);
      this.#pulses?.forget(worker);
      this.#hasClosed(worker);
    }
    const mustRespawn = worker === this.#current && !this.#isStopping;
    const isHealthy = ageMs >= HEALTHY_MS;
    if (isHealthy) this.#delayMs = FIRST_DELAY_MS;
    // One that lived long enough has done nothing to deserve a delay; and a successor may be on its way.
    const delayMs = isHealthy || this.#isReplacing ? 0 : this.#delayMs;
    this.#parts.onExit(worker, how, mustRespawn ? delayMs : null);
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

/** Why there is no process: the system has no room for one, or no program. */
function unstarted(error: unknown): string {
  return `a worker could not be started: ${describeCause(error)}`;
}

/** Says something to a worker, if it still listens. */
export function send(worker: Worker, message: ToWorker, socket?: BoundSocket): void {
  // A worker that is exiting has no channel; its exit is dealt with.
  if (!worker.isConnected()) return;
  if (socket) worker.send(message, socket.handle as SendHandle, () => {});
  else worker.send(message, () => {});
}
