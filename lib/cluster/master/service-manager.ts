import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

/** How long one word may take, ms. */
const PATIENCE_MS = 10_000;
/** How often words are said when the program that says them is killed, or cannot be started for want of memory. */
const ATTEMPTS = 10;
const BETWEEN_MS = 1_000;

/**
 * Tells systemd how we are (sd_notify(3)), where it wants to know: `NOTIFY_SOCKET`. Its own program speaks for us,
 * since Node has no datagrams for Unix sockets; the unit needs `NotifyAccess=all`.
 */
export class ServiceManager {
  readonly #isListening: boolean;
  readonly #onFault: (cause: Error) => void;
  readonly #watchdog: NodeJS.Timeout | null;
  /** What was said before has arrived, or is given up. */
  #said: Promise<void> = Promise.resolve();
  /** The last sign of life, which waits for no other words; null when that has arrived, or is given up. */
  #sign: Promise<void> | null = null;
  /** The last words did not arrive. */
  #hasFailed = false;
  readonly #closing = new AbortController();
  /** What was sent last; null before `ready`. */
  #status: string | null = null;

  /** @param onFault called when nothing can be said, once until something can */
  constructor(env: NodeJS.ProcessEnv, pid: number, onFault: (cause: Error) => void) {
    const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: interval, WATCHDOG_PID: watched } = env;
    this.#isListening = socket !== undefined && socket !== '';
    this.#onFault = onFault;
    const isWatched = this.#isListening && (watched === undefined || Number(watched) === pid) && Number(interval) > 0;
    // Twice as often as it has to be (sd_watchdog_enabled(3)).
    this.#watchdog = isWatched ? setInterval(() => this.#giveSign(), Number(interval) / 2000).unref() : null;
  }

  /** After a start, an upgrade, or a reload, whether it was made or refused. @param status one line */
  ready(status: string): void {
    this.#status = status;
    this.#say('READY=1', `MAINPID=${process.pid}`, `STATUS=${status}`);
  }

  /** What `systemctl status` shows, from `ready` on. Nothing is sent when it is as before. @param status one line */
  status(status: string): void {
    if (this.#status === null || this.#status === status) return;
    this.#status = status;
    this.#say(`STATUS=${status}`);
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
    this.#closing.abort();
    await Promise.all([this.#said, this.#sign]);
  }

  #giveSign(): void {
    this.#sign ??= this.#try(['WATCHDOG=1']).then(() => {
      this.#sign = null;
    });
  }

  #say(...words: readonly string[]): void {
    if (!this.#isListening) return;
    this.#said = this.#said.then(async () => {
      for (let attempt = 1; (await this.#try(words)) === 'again' && attempt < ATTEMPTS; attempt++) {
        await delay(BETWEEN_MS, undefined, { signal: this.#closing.signal }).catch(() => {});
        if (this.#closing.signal.aborted) return;
      }
    });
  }

  /** Resolves to `again` when the words did not arrive for a reason that may pass. */
  async #try(words: readonly string[]): Promise<'said' | 'again' | 'never'> {
    try {
      await speak(words);
      this.#hasFailed = false;
      return 'said';
    } catch (error) {
      if (!this.#hasFailed) this.#onFault(error instanceof Error ? error : new Error(String(error)));
      this.#hasFailed = true;
      return mayPass(error) ? 'again' : 'never';
    }
  }
}

/** Whether a program was killed (the kernel may be short of memory), or could not be started for want of resources. */
function mayPass(error: unknown): boolean {
  const { code, signal } = Object(error) as { readonly code?: unknown; readonly signal?: unknown };
  return typeof signal === 'string' || code === 'EAGAIN' || code === 'ENOMEM' || code === 'EMFILE';
}

/** Rejects when that cannot be said, also where no process can be started. */
function speak(words: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('systemd-notify', words, { timeout: PATIENCE_MS }, (error) => (error ? reject(error) : resolve()));
  });
}
