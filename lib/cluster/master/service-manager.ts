import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

/** How long systemd-notify may take, ms. */
const PATIENCE_MS = 10_000;
/** How often a message is tried when systemd-notify was killed, or could not be started for want of resources. */
const ATTEMPTS = 10;
const BETWEEN_MS = 1_000;

/**
 * Reports the router's state to systemd (sd_notify(3)) if `NOTIFY_SOCKET` is set. Runs systemd-notify for that, since
 * Node cannot send datagrams to Unix sockets; the unit needs `NotifyAccess=all`.
 */
export class ServiceManager {
  readonly #isListening: boolean;
  readonly #onFault: (cause: Error) => void;
  readonly #watchdog: NodeJS.Timeout | null;
  /** Resolves when earlier messages have arrived or were given up. */
  #said: Promise<void> = Promise.resolve();
  /** The last watchdog message, which does not wait for other messages; null when it has arrived or was given up. */
  #sign: Promise<void> | null = null;
  /** Whether the last message failed. */
  #hasFailed = false;
  readonly #closing = new AbortController();
  /** The last status sent; null before `ready`. */
  #status: string | null = null;

  /** @param onFault called at the first failure, and again at the first one after a success */
  constructor(env: NodeJS.ProcessEnv, pid: number, onFault: (cause: Error) => void) {
    const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: interval, WATCHDOG_PID: watched } = env;
    this.#isListening = socket !== undefined && socket !== '';
    this.#onFault = onFault;
    const isWatched = this.#isListening && (watched === undefined || Number(watched) === pid) && Number(interval) > 0;
    // Twice as often as required (sd_watchdog_enabled(3)).
    this.#watchdog = isWatched ? setInterval(() => this.#giveSign(), Number(interval) / 2000).unref() : null;
  }

  /** Reports ready: after a start, an upgrade, or a reload, even a refused one. @param status one line */
  ready(status: string): void {
    this.#status = status;
    this.#say('READY=1', `MAINPID=${process.pid}`, `STATUS=${status}`);
  }

  /**
   * Sets the text that `systemctl status` shows, after `ready`. An unchanged status is not sent. @param status one line
   */
  status(status: string): void {
    if (this.#status === null || this.#status === status) return;
    this.#status = status;
    this.#say(`STATUS=${status}`);
  }

  reloading(): void {
    // systemd compares this with its own CLOCK_MONOTONIC.
    this.#say('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  stopping(): void {
    this.#say('STOPPING=1');
  }

  /** Resolves when all messages were sent or given up. */
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

  /** Sends a message. Resolves to `again` when it failed for a temporary reason. */
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

/**
 * Whether systemd-notify was killed (the kernel may be short of memory), or could not be started for want of resources.
 */
function mayPass(error: unknown): boolean {
  const { code, signal } = Object(error) as { readonly code?: unknown; readonly signal?: unknown };
  return typeof signal === 'string' || code === 'EAGAIN' || code === 'ENOMEM' || code === 'EMFILE';
}

/** Rejects when the message cannot be sent, also when no process can be started. */
function speak(words: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('systemd-notify', words, { timeout: PATIENCE_MS }, (error) => (error ? reject(error) : resolve()));
  });
}
