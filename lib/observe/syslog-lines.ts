/** Sends lines to syslog without making anybody wait: one text grows while one is written to a process that sends it. */
import { type RunningLogger, startLogger } from './logger-program.ts';

/** Lines that wait to be written, bytes; so much again may be on its way. */
const BUFFER_BYTES = 262_144;
/** So many are written at once, bytes. */
const FLUSH_BYTES = 65_536;
/** Otherwise lines wait for company this long, ms. */
const FLUSH_MS = 100;
/** Between two attempts to reach the socket, ms. */
const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 5_000;
/** A trouble is over when all has gone well for so long, ms. */
const CALM_MS = 1_000;
/** How long the end waits for what is left to be taken, ms. */
const PATIENCE_MS = 2_000;

export interface SyslogWatcher {
  /** Lines are kept as long as there is room, then lost. Told once, until `onWell`. */
  onTrouble(cause: Error): void;
  /** @param lost lines, since the trouble began. Those that were on their way to a syslog that ended are not known */
  onWell(lost: number): void;
}

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
  /** As many had been lost when the trouble began; null when there is none. */
  #lostBefore: number | null = null;
  /** As many when that was looked at last. */
  #lostSoFar = 0;

  /** @param socket its path. Nothing is done before `start`. */
  constructor(socket: string, watcher: SyslogWatcher) {
    this.#socket = socket;
    this.#watcher = watcher;
  }

  /** Begins to send: as the user that this process is now. A socket that is not there is waited for. */
  start(): void {
    void this.#look();
  }

  /** Lines lost since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a line of ASCII or latin1, line end included. Never blocks; drops it when there is no room. */
  append(line: string): void {
    if (this.#isClosed || this.#filled.length + line.length > BUFFER_BYTES) {
      if (!this.#isClosed) this.#trouble(new Error('syslog takes fewer lines than there are'));
      this.#dropped++;
      return;
    }
    this.#filled += line;
    if (this.#filled.length >= FLUSH_BYTES) this.#flush();
    else this.#flushTimer ??= setTimeout(() => this.#flush(), FLUSH_MS);
  }

  /** There is nothing to open anew: whoever listens is found again by itself. */
  reopen(): void {}

  /** Writes what is left. Resolves when it was taken, or nobody takes it. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    // One last attempt, even where the next one was not due yet.
    if (this.#logger === null && this.#filled !== '') this.#run();
    this.#isClosed = true;
    if (this.#retryTimer) clearTimeout(this.#retryTimer);
    if (this.#calmTimer) clearTimeout(this.#calmTimer);
    const logger = this.#logger;
    if (logger === null) return;
    const force = setTimeout(() => {
      this.#trouble(new Error('syslog takes no more lines'));
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

  /** Hands on what is left, at once: for the end of a process. What is not taken at once is lost. */
  flushSync(): void {
    this.#flush();
  }

  /** Starts sending if somebody listens; else looks again later. */
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
      if (!this.#isClosed) this.#retry(cause ?? new Error('logger has ended'));
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
      // It has ended; that is dealt with.
      if (error) this.#dropped += text.split('\n').length - 1;
      else if (this.#filled.length >= FLUSH_BYTES) this.#flush();
      else if (this.#filled !== '') this.#flushTimer ??= setTimeout(() => this.#flush(), FLUSH_MS);
      this.#onWritten();
    });
  }
}
