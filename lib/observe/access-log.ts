import { readAccessFormat } from '../core/access-format.ts';
import { syslogSocket } from '../core/syslog-socket.ts';
import { AccessLines, type AccessRecord } from './access-line.ts';
import { LineFile } from './line-file.ts';
import { describeCause, type Log } from './log.ts';
import { syslogNotices } from './notices.ts';
import { SyslogLines } from './syslog-lines.ts';

/** A worker's access log: lines in one format, and the file, standard output or syslog that takes them. */
export class AccessLog {
  readonly #lines: AccessLines;
  readonly #taker: LineFile | SyslogLines;

  /**
   * Opens it.
   * @param place as `server.accessLog` has it
   * @param log is told when lines are lost
   * @throws Error with a sentence for the operator
   */
  constructor(place: string, format: string, log: Log) {
    this.#taker = open(place, log);
    this.#lines = new AccessLines(readAccessFormat(format), Date.now);
  }

  /** Begins to send to syslog, if that is where it goes: as the user that this process is now. */
  start(): void {
    if (this.#taker instanceof SyslogLines) this.#taker.start();
  }

  /** Lines lost since the start. */
  get dropped(): number {
    return this.#taker.dropped;
  }

  /** Writes of an exchange that has ended. Never blocks. @param version of HTTP */
  write(record: AccessRecord, version: string): void {
    this.#taker.append(this.#lines.of(record, version));
  }

  /** Writes of bytes that were no request. @param bytes of the answer */
  writeGarbage(clientIp: string, firstLine: string, status: number, bytes: number): void {
    this.#taker.append(this.#lines.ofGarbage(clientIp, firstLine, status, bytes));
  }

  /** Opens its file anew, after that was moved away. @throws the system's error, and goes on with the old one */
  reopen(): void {
    this.#taker.reopen();
  }

  /** Writes what is left. Resolves when it was taken, or nobody takes it. */
  close(): Promise<void> {
    return this.#taker.close();
  }

  /** Writes what is left, at once: for the end of a process. */
  flushSync(): void {
    this.#taker.flushSync();
  }
}

function open(place: string, log: Log): LineFile | SyslogLines {
  const socket = syslogSocket(place);
  if (socket !== null) return new SyslogLines(socket, syslogNotices(log));
  try {
    return new LineFile(place, (cause) =>
      log.error({ event: 'log-failed', cause: describeCause(cause) }, 'the access log cannot be written'),
    );
  } catch (error) {
    throw new Error(`server.accessLog: ${describeCause(error)}`, { cause: error });
  }
}
