/** Records everything that has ended: in the access log, the metrics, the traces and the operator's log. */
import type { Config } from '../config/config.ts';
import type { CutReason } from '../core/record/cut-reason.ts';
import type { RouterError } from '../core/errors.ts';
import type { Http2Refusal } from '../http2/parts.ts';
import { spokenVersion } from '../core/http/forwarded.ts';
import type { ResponseCut } from '../core/record/response-cut.ts';
import type { ConnectionUse } from '../core/routing/types.ts';
import type { Exchange } from '../proxy/exchange.ts';
import { wasPing } from '../proxy/ping.ts';
import type { ExchangeRecord } from '../core/record/exchange-record.ts';
import { AccessLog } from './access-log.ts';
import { WorkerMetrics, type OwnState, type MetricsReport } from './worker-metrics.ts';
import type { Log } from './log.ts';
import { exchangeRecord } from './access-record.ts';
import { logCut, logGarbage, logHttp2Refusal, logRefusal, logRefusedFast, logResponseCut } from './refusals.ts';
import { tracedExchange } from './traced.ts';
import { Tracing } from './tracing.ts';

/**
 * How many times `metrics.topN` frontends a worker counts at a time. Which of them get their own metrics is decided by
 * the admin process.
 */
const ROWS_PER_NAME = 4;

/** Records the exchanges of one worker. */
export class ExchangeRecorder {
  readonly #log: Log;
  readonly #accessLog: AccessLog | null;
  /** Null without an admin interface. */
  readonly metrics: WorkerMetrics | null;
  /** Null without `otel.endpoint`. */
  readonly tracing: Tracing | null;
  /** Counts how requests got connections to backends. */
  readonly use: ConnectionUse = { opened: 0, reused: 0 };

  /** Opens the access log. */
  constructor({ server, admin, metrics, otel, runAs }: Config, log: Log) {
    const { accessLog, accessLogFormat } = server;
    this.#log = log;
    this.#accessLog = accessLog === null ? null : new AccessLog(accessLog, runAs, accessLogFormat, log);
    this.metrics = admin && new WorkerMetrics(ROWS_PER_NAME * metrics.topN, this.use);
    this.tracing = otel && new Tracing(otel, log);
  }

  /** Starts to send to syslog, as the current user of the process. */
  start(): void {
    this.#accessLog?.start();
  }

  /** Records an exchange of the full lane. */
  ended(exchange: Exchange): void {
    if (wasPing(exchange)) return;
    logRefusal(this.#log, exchange);
    const record = exchangeRecord(exchange);
    this.metrics?.ended(exchange, record);
    const version = spokenVersion(exchange.peer, exchange.head?.version ?? exchange.request.httpVersion);
    this.#accessLog?.write(record, version);
    if (this.tracing) trace(exchange, this.tracing);
  }

  /** Records an exchange of the fast lane; null when nothing records those. */
  get passed(): ((record: ExchangeRecord, version: string) => void) | null {
    const accessLog = this.#accessLog;
    const { metrics } = this;
    if (accessLog === null && metrics === null) return null;
    return (record, version) => {
      metrics?.passed(record);
      accessLog?.write(record, version);
    };
  }

  /** Records bytes that were not a valid request. @param bytes the size of the response to them */
  garbage(firstLine: string, error: RouterError, clientIp: string, bytes: number): void {
    this.metrics?.refused(error.code);
    logGarbage(this.#log, error, clientIp);
    this.#accessLog?.writeGarbage(clientIp, firstLine, error.status, bytes);
  }

  /** Records that the fast lane has refused a request. */
  refusedFast(error: RouterError, client: string, host: string): void {
    this.metrics?.refused(error.code);
    logRefusedFast(this.#log, error, client, host);
  }

  /** Records that a client was cut within a response. @param host the requested host, if known */
  cut(reason: CutReason, client: string, host: string | null): void {
    this.metrics?.cut(reason);
    logCut(this.#log, reason, client, host);
  }

  /** Records that a backend broke off a response after its head. */
  responseCut(cut: ResponseCut): void {
    logResponseCut(this.#log, cut);
  }

  /** Records that HTTP/2 streams, or a connection, were refused before there was a request. */
  refusedHttp2(refusal: Http2Refusal, clientIp: string): void {
    this.metrics?.refused(refusal.code, refusal.count);
    logHttp2Refusal(this.#log, refusal, clientIp);
  }

  /** The metrics since the last call, and what was lost since the start; null when nothing is counted. */
  take(own: Omit<OwnState, 'linesDropped' | 'spansDropped'>): MetricsReport | null {
    const linesDropped = this.#accessLog?.dropped ?? 0;
    const spansDropped = this.tracing?.dropped ?? 0;
    return this.metrics?.take({ ...own, linesDropped, spansDropped }) ?? null;
  }

  /** Opens the access log again after a rotation. @throws the system's error, and keeps the old file */
  reopen(): void {
    this.#accessLog?.reopen();
  }

  /** Writes and exports what is left. `take` still works after it. */
  async close(): Promise<void> {
    await this.#accessLog?.close();
    await this.tracing?.close();
    this.metrics?.close();
  }

  /** Writes what is left for the access log synchronously, before the process exits. */
  flushSync(): void {
    this.#accessLog?.flushSync();
  }
}

function trace(exchange: Exchange, tracing: Tracing): void {
  const traced = tracedExchange(exchange, tracing.policy);
  if (traced !== null) tracing.take(traced);
}
