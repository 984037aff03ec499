/** What a worker writes down of all that has ended: in the access log, in figures, in traces, and in the operator's log. */
import type { Config } from '../config/config.ts';
import type { RouterError } from '../core/errors.ts';
import { spokenVersion } from '../core/forwarded.ts';
import type { ConnectionUse } from '../core/types.ts';
import type { Exchange } from '../proxy/exchange.ts';
import type { AccessRecord } from './access-line.ts';
import { AccessLog } from './access-log.ts';
import { Figures, type OwnState, type WorkerFigures } from './figures.ts';
import type { Log } from './log.ts';
import { accessRecord } from './record.ts';
import { logGarbage, logRefusal } from './refusals.ts';
import { tracedExchange } from './traced.ts';
import { Tracing } from './tracing.ts';

/**
 * So many times as many frontends as have figures of their own are counted by a worker at a time: it does not know
 * which they are.
 */
const ROWS_PER_NAME = 4;

/** One for each worker. */
export class Ledger {
  readonly #log: Log;
  readonly #accessLog: AccessLog | null;
  /** Null where nobody can ask for them. */
  readonly figures: Figures | null;
  /** Null where the router takes no part in traces. */
  readonly tracing: Tracing | null;
  /** Where connections to backends are counted. */
  readonly use: ConnectionUse = { opened: 0, reused: 0 };

  /** Opens the access log. @throws Error with a sentence for the operator */
  constructor({ server, admin, metrics, otel }: Config, log: Log) {
    const { accessLog, accessLogFormat } = server;
    this.#log = log;
    this.#accessLog = accessLog === null ? null : new AccessLog(accessLog, accessLogFormat, log);
    this.figures = admin && new Figures(ROWS_PER_NAME * metrics.topN, this.use);
    this.tracing = otel && new Tracing(otel, log);
  }

  /** Makes ready to send, as the user that this process is now. */
  start(): void {
    this.#accessLog?.start();
  }

  /** An exchange has ended in the full lane. */
  ended(exchange: Exchange): void {
    logRefusal(this.#log, exchange);
    const record = accessRecord(exchange);
    this.figures?.ended(exchange, record);
    const version = spokenVersion(exchange.peer, exchange.head?.version ?? exchange.request.httpVersion);
    this.#accessLog?.write(record, version);
    if (this.tracing) trace(exchange, this.tracing);
  }

  /** To be told of each exchange that has ended in the fast lane; null when that is nowhere written down. */
  get passed(): ((record: AccessRecord, version: string) => void) | null {
    const accessLog = this.#accessLog;
    const { figures } = this;
    if (accessLog === null && figures === null) return null;
    return (record, version) => {
      figures?.passed(record);
      accessLog?.write(record, version);
    };
  }

  /** Bytes came that were no request. @param bytes of the answer to them */
  garbage(firstLine: string, error: RouterError, clientIp: string, bytes: number): void {
    this.figures?.refused(error.code);
    logGarbage(this.#log, error, clientIp);
    this.#accessLog?.writeGarbage(clientIp, firstLine, error.status, bytes);
  }

  /** What was counted since the last call, and what was lost since the start; null where nothing is counted. */
  take(own: Omit<OwnState, 'linesDropped' | 'spansDropped'>): WorkerFigures | null {
    const linesDropped = this.#accessLog?.dropped ?? 0;
    const spansDropped = this.tracing?.dropped ?? 0;
    return this.figures?.take({ ...own, linesDropped, spansDropped }) ?? null;
  }

  /** Opens the access log anew, after it was moved away. @throws the system's error, and goes on with the old file */
  reopen(): void {
    this.#accessLog?.reopen();
  }

  /** Writes and exports what is left. Figures can still be taken, for the last time. */
  async close(): Promise<void> {
    await this.#accessLog?.close();
    await this.tracing?.close();
    this.figures?.close();
  }

  /** Writes what is left for the access log, at once: the process ends. */
  flushSync(): void {
    this.#accessLog?.flushSync();
  }
}

function trace(exchange: Exchange, tracing: Tracing): void {
  const traced = tracedExchange(exchange, tracing.policy);
  if (traced !== null) tracing.take(traced);
}
