import { execFile } from 'node:child_process';

/** How long one word may take, ms. */
const PATIENCE_MS = 10_000;

/**
 * Tells systemd how we are (sd_notify(3)), where it wants to know: `NOTIFY_SOCKET`. Its own program speaks for us,
 * since Node has no datagrams for Unix sockets; the unit needs `NotifyAccess=all`.
 */
export class ServiceManager {
  readonly #isListening: boolean;
  readonly #onFault: (cause: Error) => void;
  readonly #watchdog: NodeJS.Timeout | null;
  /** What was said before has arrived. */
  #said: Promise<void> = Promise.resolve();
  #hasFailed = false;

  /** @param onFault told once, when nothing can be said */
  constructor(env: NodeJS.ProcessEnv, pid: number, onFault: (cause: Error) => void) {
    const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: interval, WATCHDOG_PID: watched } = env;
    this.#isListening = socket !== undefined && socket !== '';
    this.#onFault = onFault;
    const isWatched = this.#isListening && (watched === undefined || Number(watched) === pid) && Number(interval) > 0;
    // Twice as often as it has to be (sd_watchdog_enabled(3)).
    this.#watchdog = isWatched ? setInterval(() => this.#say('WATCHDOG=1'), Number(interval) / 2000).unref() : null;
  }

  /** Everybody is served; after a start, an upgrade, or a reload, whatever came of it. */
  ready(status: string): void {
    this.#say('READY=1', `MAINPID=${process.pid}`, `STATUS=${status}`);
  }

  reloading(): void {
    // Of the clock that systemd reads, too: CLOCK_MONOTONIC.
    this.#say('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  stopping(): void {
    this.#say('STOPPING=1');
  }

  /** Resolves when all was said. */
  async close(): Promise<void> {
    if (this.#watchdog) clearInterval(this.#watchdog);
    await this.#said;
  }

  #say(...words: readonly string[]): void {
    if (!this.#isListening || this.#hasFailed) return;
    this.#said = this.#said.then(async () => {
      try {
        await speak(words);
      } catch (error) {
        if (this.#hasFailed) return;
        this.#hasFailed = true;
        this.#onFault(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }
}

/** Rejects when that cannot be said, also where no process can be started. */
function speak(words: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('systemd-notify', words, { timeout: PATIENCE_MS }, (error) => (error ? reject(error) : resolve()));
  });
}
