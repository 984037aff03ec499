/** Sends lines to syslog without blocking: collects one text while another is written to the logger process. */
import { type RunningLogger, startLogger } from './logger-program.ts';

/** How many bytes of lines may wait; as many again may be on their way. */
const BUFFER_BYTES = 262_144;
/** How many bytes are written at once. */
const FLUSH_BYTES = 65_536;
/** Otherwise lines are collected for this long, ms. */
const FLUSH_MS = 100;
/** The delay between two attempts to reach the socket, ms; it grows. */
const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 5_000;
/** The trouble counts as over when nothing failed for this long, ms. */
const CALM_MS = 1_000;
/** How long `close` waits until the rest was taken, ms. */
const PATIENCE_MS = 2_000;

/** Called when sending to syslog fails, and when it works again. */
export interface SyslogWatcher {
  /** Called once per trouble. Lines are kept while the buffer has space, then lost. */
  onTrouble(cause: Error): void;
  /**
   * Called when the trouble is over. @param lost lines lost since it began, without those that a dead logger had
   * already taken
   */
  onWell(lost: number): void;
}

/** Sends lines to a syslog socket. */
export class SyslogLines {
  readonly #socket: string;
  readonly #watcher: SyslogWatcher;
  #logger: RunningLogger | null = null;
  #loggerEnded: Promise<unknown> = Promise.resolve();
  #filled = '';
  #isWriting = false;
  #onWritten: () => void = () => {};
  #flushTimer: NodeJS.Timeout | null = null;
  #retryTimer: NodeJS.Timeout | null = null;
  #calmTimer: NodeJS.Timeout | null = null;
  #delayMs = FIRST_DELAY_MS;
  #isClosed = false;
  #dropped = 0;
  /** How many lines had been lost when the trouble began; null without trouble. */
  #lostBefore: number | null = null;
  /** How many lines had been lost at the last check. */
  #lostSoFar = 0;

  /** @param socket its path. Nothing is sent before `start` */
  constructor(socket: string, watcher: SyslogWatcher) {
    this.#socket = socket;
    this.#watcher = watcher;
  }

  /** Starts to send, as the current user of the process. Waits for a missing socket. */
  start(): void {
    void this.#look();
  }

  /** How many lines were lost since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a line of ASCII or latin1, with its line end. Never blocks; drops the line when the buffer is full. */
  append(line: string): void {
    if (this.#isClosed || this.#filled.length + line.length > BUFFER_BYTES) {
      if (!this.#isClosed) this.#trouble(new Error('syslog is too slow for the access log'));
      this.#dropped++;
      return;
    }
    this.#filled += line;
    if (this.#filled.length >= FLUSH_BYTES) this.#flush();
    else this.#flushTimer ??= setTimeout(() => this.#flush(), FLUSH_MS);
  }

  /** Nothing to reopen: a new syslog daemon is found by itself. */
  reopen(): void {}

  /** Writes what is left. Resolves when it was taken, or after a time limit. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    // One last attempt, before the next one is due.
    if (this.#logger === null && this.#filled !== '') this.#run();
    this.#isClosed = true;
    if (this.#retryTimer) clearTimeout(this.#retryTimer);
    if (this.#calmTimer) clearTimeout(this.#calmTimer);
    const logger = this.#logger;
    if (logger === null) return;
    const force = setTimeout(() => {
      this.#trouble(new Error('syslog accepts no more lines'));
      logger.kill();
    }, PATIENCE_MS);
    this.#onWritten = () => {
      if (this.#filled === '') logger.stdin?.end();
      else this.#flush();
    };
    if (!this.#isWriting) this.#onWritten();
    await this.#loggerEnded;
    clearTimeout(force);
  }

  /** Passes on what is left synchronously, before the process exits. The rest is lost. */
  flushSync(): void {
    this.#flush();
  }

  /** Starts the logger if the socket accepts connections; else checks again later. */
  async #look(): Promise<void> {
    const cause = await startLogger(this.#socket, 'ignore').ended;
    if (this.#isClosed) return;
    if (cause === null) this.#run();
    else this.#retry(cause);
  }

  #run(): void {
    const logger = startLogger(this.#socket, 'pipe');
    this.#logger = logger;
    this.#loggerEnded = logger.ended.then((cause) => {
      this.#logger = null;
      this.#isWriting = false;
      if (!this.#isClosed) this.#retry(cause ?? new Error('logger has exited'));
      else if (cause !== null) this.#trouble(cause);
    });
    this.#awaitCalm();
    this.#flush();
  }

  #retry(cause: Error): void {
    this.#trouble(cause);
    if (this.#calmTimer) clearTimeout(this.#calmTimer);
    this.#retryTimer = setTimeout(() => void this.#look(), this.#delayMs).unref();
    this.#delayMs = Math.min(LAST_DELAY_MS, this.#delayMs * 2);
  }

  #trouble(cause: Error): void {
    if (this.#lostBefore !== null) return;
    this.#lostBefore = this.#dropped;
    this.#watcher.onTrouble(cause);
    if (this.#logger !== null && !this.#isClosed) this.#awaitCalm();
  }

  #awaitCalm(): void {
    if (this.#calmTimer) clearTimeout(this.#calmTimer);
    this.#lostSoFar = this.#dropped;
    this.#calmTimer = setTimeout(() => this.#onCalm(), CALM_MS).unref();
  }

  #onCalm(): void {
    this.#delayMs = FIRST_DELAY_MS;
    if (this.#lostBefore === null) return;
    if (this.#isWriting || this.#dropped > this.#lostSoFar) return this.#awaitCalm();
    const lost = this.#dropped - this.#lostBefore;
    this.#lostBefore = null;
    this.#watcher.onWell(lost);
  }

  #flush(): void {
    if (this.#flushTimer) clearTimeout(this.#flushTimer);
    this.#flushTimer = null;
    const stdin = this.#logger?.stdin;
    if (!stdin || this.#isWriting || this.#filled === '') return;
    const text = this.#filled;
    this.#filled = '';
    this.#isWriting = true;
    stdin.write(text, 'latin1', (error) => {
      this.#isWriting = false;
      // The logger has exited, which is handled elsewhere.
      if (error) this.#dropped += text.split('\n').length - 1;
      else if (this.#filled.length >= FLUSH_BYTES) this.#flush();
      else if (this.#filled !== '') this.#flushTimer ??= setTimeout(() => this.#flush(), FLUSH_MS);
      this.#onWritten();
    });
  }
}
