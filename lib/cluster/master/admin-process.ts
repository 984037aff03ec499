import { type ChildProcess, fork } from 'node:child_process';
import type { FromAdmin, ToAdmin } from '../../admin/messages.ts';
import type { Config } from '../../config/config.ts';
import { packagedProgram } from '../../config/package.ts';
import { describeCause } from '../../observe/log.ts';

const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 10_000;
/** A process that ran for so long, ms, is restarted without an increased delay. */
const HEALTHY_MS = 5_000;
/** How long it may take to exit, ms. */
const END_MS = 1_000;
/** How many log lines are kept for the process while it is not running. */
const KEPT_LINES = 200;

/** Callbacks of an AdminProcess. */
export interface AdminProcessParts {
  readonly onAsk: (message: Extract<FromAdmin, { type: 'ask' }>) => void;
  /** The process exited unexpectedly. `respawnMs`: when it is started again. */
  readonly onDeath: (pid: number | undefined, how: string, respawnMs: number) => void;
}

/** Runs the process of the admin interface if the configuration has one, and restarts it when it dies. */
export class AdminProcess {
  readonly #parts: AdminProcessParts;
  #config: Config | null = null;
  #child: ChildProcess | null = null;
  readonly #lines: string[] = [];
  #startedAt = 0;
  #delayMs = FIRST_DELAY_MS;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: AdminProcessParts) {
    this.#parts = parts;
  }

  /** Starts, reconfigures or ends the process. It keeps its counters if its listening addresses are unchanged. */
  async configure(config: Config): Promise<void> {
    const isSame = bearings(config) === bearings(this.#config);
    this.#config = config;
    if (!isSame) await this.#end();
    if (config.admin === null) return;
    if (this.#child === null) this.#start();
    else this.tell({ type: 'configure', config });
  }

  /** Sends a message to the process, if it runs. */
  tell(message: ToAdmin): void {
    if (this.#child?.connected) this.#child.send(message, () => {});
  }

  /** Passes on a line of the operator's log, written by the master or a worker. */
  event(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    this.tell({ type: 'event', line });
  }

  /** Resolves when the process has exited. It is not started again. */
  async close(): Promise<void> {
    this.#config = null;
    await this.#end();
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#startedAt = performance.now();
    let child: ChildProcess;
    try {
      child = fork(packagedProgram('cluster/admin-main'), { serialization: 'advanced' });
    } catch (error) {
      // The system has no resources for a process now, which the configuration cannot prevent.
      this.#startAgain(undefined, describeCause(error));
      return;
    }
    this.#child = child;
    child.on('message', (message: FromAdmin) => {
      if (message.type === 'ask') this.#parts.onAsk(message);
      else this.#configureChild();
    });
    // A broken channel is followed by an exit; a process that could not be started has neither.
    child.on('error', (error) => this.#onExit(child, error.message));
    child.once('exit', (code, signal) => this.#onExit(child, signal ? `killed by ${signal}` : `code ${code}`));
  }

  #configureChild(): void {
    if (this.#config === null) return;
    this.tell({ type: 'configure', config: this.#config });
    for (const line of this.#lines) this.tell({ type: 'event', line });
  }

  #onExit(child: ChildProcess, how: string): void {
    if (child !== this.#child || child.connected) return;
    this.#child = null;
    if (this.#config === null || this.#config.admin === null) return;
    this.#startAgain(child.pid, how);
  }

  #startAgain(pid: number | undefined, how: string): void {
    if (performance.now() - this.#startedAt >= HEALTHY_MS) this.#delayMs = FIRST_DELAY_MS;
    this.#parts.onDeath(pid, how, this.#delayMs);
    this.#timer = setTimeout(() => this.#start(), this.#delayMs);
    this.#delayMs = Math.min(LAST_DELAY_MS, this.#delayMs * 2);
  }

  async #end(): Promise<void> {
    clearTimeout(this.#timer);
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => child.kill('SIGKILL'), END_MS);
      child.once('exit', () => {
        clearTimeout(force);
        resolve();
      });
      if (child.connected) child.send({ type: 'close' } satisfies ToAdmin, () => {});
      else child.kill('SIGKILL');
    });
  }
}

/** The settings that the process cannot change while it runs. */
function bearings(config: Config | null): string {
  return JSON.stringify([config?.admin?.places, config?.metrics, config?.runAs]);
}
