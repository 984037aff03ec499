import { readAccessFormat } from '../core/record/access-format.ts';
import { syslogSocket } from '../core/record/syslog-socket.ts';
import type { Owner } from '../files/open-log.ts';
import { UnsafePathError } from '../files/unsafe-path.ts';
import type { ExchangeRecord } from '../core/record/exchange-record.ts';
import { AccessLines } from './access-line.ts';
import { LineFile } from './line-file.ts';
import { describeCause, type Log } from './log.ts';
import { syslogEvents } from './events.ts';
import { SyslogLines } from './syslog-lines.ts';

/** A worker's access log: writes lines in one format to a file, standard output or syslog. */
export class AccessLog {
  readonly #lines: AccessLines;
  readonly #place: string;
  readonly #owner: Owner | null;
  readonly #log: Log;
  /** Null while the file cannot be opened: requests are served, and lines are lost. */
  #taker: LineFile | SyslogLines | null = null;
  /** How many lines were lost without a file. */
  #lost = 0;

  /**
   * Opens the log. If its file cannot be opened, logs that and loses lines until `reopen`. It does not throw: the
   * master has opened the file before, and a worker that replaces another must serve.
   * @param place as `server.accessLog`
   * @param owner the owner of the file, while this process is root
   * @param log gets events about lost lines
   */
  constructor(place: string, owner: Owner | null, format: string, log: Log) {
    this.#place = place;
    this.#owner = owner;
    this.#log = log;
    try {
      this.#taker = this.#open();
    } catch (error) {
      const cause = error instanceof UnsafePathError ? `${place} ${error.message}` : describeCause(error);
      log.error({ event: 'log-failed', cause }, `the access log cannot be opened: ${cause}`);
    }
    this.#lines = new AccessLines(readAccessFormat(format), Date.now);
  }

  /** Starts to send to syslog, if configured, as the current user of the process. */
  start(): void {
    if (this.#taker instanceof SyslogLines) this.#taker.start();
  }

  /** How many lines were lost since the start. */
  get dropped(): number {
    return this.#lost + (this.#taker?.dropped ?? 0);
  }

  /** Writes the line of an exchange. Never blocks. @param version the HTTP version */
  write(record: ExchangeRecord, version: string): void {
    if (this.#taker === null) this.#lost++;
    else this.#taker.append(this.#lines.of(record, version));
  }

  /** Writes the line of bytes that were not a valid request. @param bytes the size of the response */
  writeGarbage(clientIp: string, firstLine: string, status: number, bytes: number): void {
    if (this.#taker === null) this.#lost++;
    else this.#taker.append(this.#lines.ofGarbage(clientIp, firstLine, status, bytes));
  }

  /** Opens the file again, after it was moved away. @throws as LineFile, and keeps the old file */
  reopen(): void {
    if (this.#taker === null) this.#taker = this.#open();
    else this.#taker.reopen();
  }

  /** Writes what is left. Resolves when it was taken, or after a time limit. */
  async close(): Promise<void> {
    await this.#taker?.close();
  }

  /** Writes what is left synchronously, before the process exits. */
  flushSync(): void {
    this.#taker?.flushSync();
  }

  #open(): LineFile | SyslogLines {
    const socket = syslogSocket(this.#place);
    if (socket !== null) return new SyslogLines(socket, syslogEvents(this.#log));
    return new LineFile(this.#place, this.#owner, (cause) =>
      this.#log.error({ event: 'log-failed', cause: describeCause(cause) }, 'the access log cannot be written'),
    );
  }
}
