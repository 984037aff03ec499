import { readAccessFormat } from '../core/record/access-format.ts';
import { syslogSocket } from '../core/record/syslog-socket.ts';
import type { Owner } from '../files/open-log.ts';
import { UnsafePathError } from '../files/unsafe-path.ts';
import { AccessLines, type AccessRecord } from './access-line.ts';
import { LineFile } from './line-file.ts';
import { describeCause, type Log } from './log.ts';
import { syslogEvents } from './events.ts';
import { SyslogLines } from './syslog-lines.ts';

/** A worker's access log: lines in one format, and the file, standard output or syslog that takes them. */
export class AccessLog {
  readonly #lines: AccessLines;
  readonly #place: string;
  readonly #owner: Owner | null;
  readonly #log: Log;
  /** Null while its file cannot be opened: lines are lost, requests are served. */
  #taker: LineFile | SyslogLines | null = null;
  /** Lines for which there was no file. */
  #lost = 0;

  /**
   * Opens it. A file that cannot be opened is logged, and lines are lost until `reopen`: the master has opened it before,
   * so that a worker that starts in place of another one must not keep its site from being served.
   * @param place as `server.accessLog` has it
   * @param owner whose its file is, where this process is still root
   * @param log is told when lines are lost
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

  /** Begins to send to syslog, if that is where it goes: as the user that this process is now. */
  start(): void {
    if (this.#taker instanceof SyslogLines) this.#taker.start();
  }

  /** Lines lost since the start. */
  get dropped(): number {
    return this.#lost + (this.#taker?.dropped ?? 0);
  }

  /** Writes of an exchange that has ended. Never blocks. @param version of HTTP */
  write(record: AccessRecord, version: string): void {
    if (this.#taker === null) this.#lost++;
    else this.#taker.append(this.#lines.of(record, version));
  }

  /** Writes of bytes that were no request. @param bytes of the answer */
  writeGarbage(clientIp: string, firstLine: string, status: number, bytes: number): void {
    if (this.#taker === null) this.#lost++;
    else this.#taker.append(this.#lines.ofGarbage(clientIp, firstLine, status, bytes));
  }

  /** Opens its file anew, after that was moved away. @throws as LineFile, and goes on with the old one */
  reopen(): void {
    if (this.#taker === null) this.#taker = this.#open();
    else this.#taker.reopen();
  }

  /** Writes what is left. Resolves when it was taken, or nobody takes it. */
  async close(): Promise<void> {
    await this.#taker?.close();
  }

  /** Writes what is left, at once: for the end of a process. */
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
