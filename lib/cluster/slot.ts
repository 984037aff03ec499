import type { Worker } from 'node:cluster';
import type { ToMaster, ToWorker } from './messages.ts';

/** A worker that dies sooner than this after its start, ms, is not healthy: its successor has to wait. */
const HEALTHY_MS = 5_000;
const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 10_000;

export interface SlotParts {
  readonly fork: () => Worker;
  /** The answer to a worker's `hello`. */
  readonly configure: () => ToWorker;
  /** All that a worker says beyond its start. */
  readonly onMessage: (message: ToMaster, worker: Worker) => void;
  readonly onExit: (worker: Worker, how: string, respawnMs: number | null) => void;
}

/** Keeps one worker running: starts it, replaces it when it dies or is past its best, ends it. */
export class Slot {
  readonly #parts: SlotParts;
  /** The one that serves. */
  #current: Worker | null = null;
  /** All that have not exited: the one that serves, its successor, those that drain. */
  readonly #alive = new Set<Worker>();
  #isStopping = false;
  #delayMs = FIRST_DELAY_MS;
  #timer: NodeJS.Timeout | null = null;
  #isReplacing = false;
  #onEmpty: (() => void) | null = null;

  constructor(parts: SlotParts) {
    this.#parts = parts;
  }

  /** Starts the first worker. Resolves with where it listens; @throws Error with a sentence why it does not */
  async start(): Promise<readonly string[]> {
    const { worker, ready } = this.#spawn();
    this.#current = worker;
    return await ready;
  }

  /** Starts a successor, and drains the worker that serves once it is ready. */
  async replace(): Promise<void> {
    if (this.#isReplacing || this.#isStopping) return;
    this.#isReplacing = true;
    const old = this.#current;
    try {
      const { worker, ready } = this.#spawn();
      await ready;
      this.#current = worker;
      if (old && this.#alive.has(old)) send(old, { type: 'drain' });
    } catch {
      // The old one goes on: onExit told the operator, and the memory guard asks again.
    } finally {
      this.#isReplacing = false;
    }
  }

  /** Says something to every worker that has not exited. */
  tell(message: ToWorker): void {
    for (const worker of this.#alive) send(worker, message);
  }

  /** Lets the workers finish, and starts no others. Resolves when all have exited. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#alive.size === 0) return;
    this.tell({ type: 'drain' });
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  /** Ends the workers at once. */
  kill(): void {
    this.#isStopping = true;
    for (const worker of this.#alive) worker.process.kill('SIGKILL');
  }

  #spawn(): { worker: Worker; ready: Promise<readonly string[]> } {
    const worker = this.#parts.fork();
    const startedAt = performance.now();
    this.#alive.add(worker);
    const ready = new Promise<readonly string[]>((resolve, reject) => {
      let reason: string | null = null;
      worker.on('message', (message: ToMaster) => {
        if (message.type === 'hello') send(worker, this.#parts.configure());
        else if (message.type === 'ready') resolve(message.listening);
        else if (message.type === 'failed') reason = message.message;
        else this.#parts.onMessage(message, worker);
      });
      // A channel that breaks is followed by an exit, which is dealt with.
      worker.on('error', () => {});
      worker.once('exit', (code, signal) => {
        const how = reason ?? (signal ? `it was killed by ${signal}` : `it exited with code ${code}`);
        reject(new Error(how));
        this.#onExit(worker, how, performance.now() - startedAt);
      });
    });
    // Whoever does not wait for it learns of it by onExit.
    ready.catch(() => {});
    return { worker, ready };
  }

  #onExit(worker: Worker, how: string, ageMs: number): void {
    this.#alive.delete(worker);
    const mustRespawn = worker === this.#current && !this.#isStopping;
    if (ageMs >= HEALTHY_MS) this.#delayMs = FIRST_DELAY_MS;
    // One that lived long enough has done nothing to deserve a delay.
    const delayMs = ageMs >= HEALTHY_MS ? 0 : this.#delayMs;
    this.#parts.onExit(worker, how, mustRespawn ? delayMs : null);
    if (this.#alive.size === 0) this.#onEmpty?.();
    if (!mustRespawn) return;
    this.#current = null;
    if (ageMs < HEALTHY_MS) this.#delayMs = Math.min(LAST_DELAY_MS, this.#delayMs * 2);
    this.#timer = setTimeout(() => {
      this.#current = this.#spawn().worker;
    }, delayMs);
  }
}

function send(worker: Worker, message: ToWorker): void {
  // A worker that is exiting has no channel; its exit is dealt with.
  if (worker.isConnected()) worker.send(message, () => {});
}
